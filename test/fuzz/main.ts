import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string' },
    target: { type: 'string' },
  },
});
const numRuns = Number(values.runs);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (!(numRuns > 0) || chosen.length === 0) {
  throw new Error(
    `--runs takes a number, --target one of ${targets.map(({ name }) => name).join(', ')}`,
  );
}

process.stdout.write(`seed ${seed}\n`);
for (const { name, property } of chosen) {
  const since = performance.now();
  const details = fc.check(property, { numRuns, seed });
  const seconds = (performance.now() - since) / 1000;
  const pace = `${Math.round(numRuns / seconds)} a second`;
  process.stdout.write(
    `${details.failed ? 'DEFECT' : 'ok'}  ${name}: ${numRuns} runs, ${seconds.toFixed(1)} s, ${pace}\n`,
  );
  if (!details.failed) continue;
  process.stdout.write(`${fc.defaultReportMessage(details)}\n`);
  process.exitCode = 1;
}
