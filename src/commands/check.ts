import { examine } from '../check/examine.ts';
import { renderJson, renderReport, sanitizeFindings } from '../check/report.ts';
import { firstWrong } from '../check/step.ts';
import { readConfig } from '../config/load.ts';
import { withoutMisplaced } from '../config/secrets.ts';
import { systemClock, untilAborted } from '../support/clock.ts';
import { exitCodeOf } from '../support/errors.ts';
import type { Command } from './command.ts';

const WIDTH = { narrowest: 60, usual: 80, widest: 100 } as const;

/** Checks everything in order, and prints what is wrong and what to do about it. Changes nothing. */
export const check: Command = async (context) => {
  const { flags, print, terminal, columns, signal, secrets } = context;
  const env = withoutMisplaced(context.env);
  const reading = readConfig(flags, context.env, 'check');
  const examining = examine({
    reading,
    env,
    clock: systemClock,
    signal,
    uid: process.getuid?.(),
  });
  // A signal ends it even while a volume does not respond.
  const found = await untilAborted(examining, signal);
  if (found === undefined) return signal.reason;
  const findings = sanitizeFindings(found, secrets);
  // A terminal of unknown size has no columns.
  const width = Math.min(Math.max(columns || WIDTH.usual, WIDTH.narrowest), WIDTH.widest);
  const colour = terminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  print(
    reading.values.json === true
      ? renderJson(findings)
      : renderReport(findings, { colour, columns: width }),
  );
  const cause = firstWrong(findings);
  return cause === undefined ? 0 : exitCodeOf(cause.code);
};
