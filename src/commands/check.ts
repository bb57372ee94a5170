import { examine } from '../check/examine.ts';
import { renderJson, renderReport } from '../check/report/report.ts';
import { readConfig } from '../config/config.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { systemClock } from '../support/system-clock.ts';
import type { Command } from './command.ts';

const WIDTH = { narrowest: 60, usual: 80, widest: 100 } as const;

/** Looks at everything in order, and says what is wrong and what to do about it. Changes nothing. */
export const check: Command = async ({ flags, env, print, terminal, columns, signal }) => {
  const reading = readConfig(flags, env, 'check');
  const findings = await examine({
    reading,
    env,
    clock: systemClock,
    signal,
    uid: process.getuid?.(),
  });
  if (signal.aborted) return signal.reason;
  const width = Math.min(Math.max(columns ?? WIDTH.usual, WIDTH.narrowest), WIDTH.widest);
  const colour = terminal && !env['NO_COLOR'];
  print(
    reading.values.json === true
      ? renderJson(findings)
      : renderReport(findings, { colour, columns: width }),
  );
  const [cause] = findings.filter(({ mark }) => mark === 'wrong');
  return cause?.mark === 'wrong' ? exitCodeOf(cause.code) : 0;
};
