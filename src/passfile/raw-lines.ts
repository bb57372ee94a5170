import { MOST_PASSFILE_LINES } from './format.ts';

interface RawLine {
  /** Without its end. */
  readonly text: string;
  readonly number: number;
  /** Whether enough has been looked at for one piece of work. */
  readonly pause: boolean;
}

const PIECE_CHARACTERS = 8 * 1024;

/** The lines as they stand, ended by `\n` with any `\r` before it, the last one perhaps not ended. */
export function* rawLines(content: string): Generator<RawLine, void> {
  let pausedAt = 0;
  for (let start = 0, number = 1; start < content.length; number += 1) {
    const at = content.indexOf('\n', start);
    const end = at === -1 ? content.length : at;
    const pause = end - pausedAt >= PIECE_CHARACTERS;
    if (pause) pausedAt = end;
    yield { text: stripLineEnd(content.slice(start, end)), number, pause };
    start = end + 1;
  }
}

/** Whether there are more lines than any passfile has. */
export function hasTooManyLines(content: string): boolean {
  let lines = 0;
  for (let at = content.indexOf('\n'); at !== -1; at = content.indexOf('\n', at + 1)) {
    lines += 1;
    if (lines > MOST_PASSFILE_LINES) return true;
  }
  return false;
}

/** Without the lookbehind, a line full of carriage returns would take quadratic time. */
function stripLineEnd(line: string): string {
  return line.replace(/(?<!\r)\r+$/, '');
}
