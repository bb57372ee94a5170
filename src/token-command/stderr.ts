import { redactJwts, type Secret } from '../support/secret.ts';
import { HIDING, redactSecrets } from '../support/text.ts';

const LONGEST_LINE = 200;

/** A command that says more is not read to its end either. */
const MOST_LINES = 50;

/** With what hides text goes the rest of a colour's code. */
const UNPRINTABLE = new RegExp(String.raw`${HIDING.source}(?:\[[\d;]*m)?`, 'gu');

/**
 * The first lines of a command's stderr as they may be shown: short, printable, not blank, and
 * without a piece of `secrets` or of any JWT.
 */
export function presentableLines(stderr: string, secrets: readonly Secret[]): string[] {
  // What is unprintable goes first: it could stand in the middle of a token, and hide it.
  const printable = stderr.split(/[\r\n]+/).map((line) => line.replaceAll(UNPRINTABLE, '').trim());
  // All lines at once: a secret can be far longer than all of them, and takes a walk along it.
  const clean = redactJwts(redactSecrets(printable.join('\n'), secrets)).split('\n');
  const lines = clean.filter((line) => line !== '').map(shortened);
  const more = lines.length - MOST_LINES;
  return more > 0 ? [...lines.slice(0, MOST_LINES), `… and ${more} more lines`] : lines;
}

function shortened(line: string): string {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
