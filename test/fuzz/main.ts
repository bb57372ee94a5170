import { inspect, parseArgs } from 'node:util';
import fc from 'fast-check';
import { timed } from './stopwatch.ts';
import { drawnOut, type FuzzTarget, nearly, propertyOf, type Texts } from './target.ts';
import { targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string' },
    target: { type: 'string' },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (!(runs > 0) || chosen.length === 0) {
  throw new Error(
    `--runs takes a number, --target one of ${targets.map(({ name }) => name).join(', ')}`,
  );
}

/** Whether no input shows a defect; prints how fast that was, and the slowest input. */
async function holds(
  target: FuzzTarget,
  what: string,
  texts: Texts,
  numRuns: number,
): Promise<boolean> {
  const { run, slowest } = timed(target);
  const since = performance.now();
  const details = await fc.check(propertyOf(target, texts, run), { numRuns, seed });
  const seconds = (performance.now() - since) / 1000;
  const pace = `${Math.round(details.numRuns / seconds)} a second`;
  const { tookMs, input } = slowest();
  process.stdout.write(
    `${details.failed ? 'DEFECT' : 'ok'}  ${target.name}${what}: ${details.numRuns} runs, ${seconds.toFixed(1)} s, ${pace}; ` +
      `slowest ${tookMs.toFixed(1)} ms: ${fc.stringify(input).slice(0, 80)}\n`,
  );
  if (details.failed) {
    const report = await fc.asyncDefaultReportMessage(details);
    process.stdout.write(`${report}\n${inspect(details.errorInstance)}\n`);
  }
  return !details.failed;
}

process.stdout.write(`seed ${seed}\n`);
for (const target of chosen) {
  const short = await holds(target, '', nearly, runs);
  const long = await holds(target, ', drawn out', drawnOut, Math.ceil(runs / 1000));
  if (!short || !long) process.exitCode = 1;
}
