import { withoutJwts } from '../support/printable.ts';
import type { Secret } from '../support/secret.ts';

const LONGEST_LINE = 200;

/** What would move a terminal's cursor, or hide text; with it goes the rest of a colour's code. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}](?:\[[\d;]*m)?/gu;

/**
 * The lines of a command's stderr as they may be shown: short, printable, not blank, and without a
 * piece of `secrets` or of any JWT.
 */
export function presentableLines(stderr: string, secrets: readonly Secret[]): string[] {
  return stderr
    .split(/[\r\n]+/)
    .map((line) => presentable(line, secrets))
    .filter((line) => line !== '');
}

/** What is unprintable goes first: it could stand in the middle of a token, and hide it. */
function presentable(line: string, secrets: readonly Secret[]): string {
  const printable = line.replaceAll(UNPRINTABLE, '').trim();
  const short =
    printable.length > LONGEST_LINE ? `${printable.slice(0, LONGEST_LINE)}…` : printable;
  const clean = secrets.reduce((text, secret) => secret.redactFrom(text), short);
  return withoutJwts(clean);
}
