import { type ErrorCode, PgpassdError } from '../../src/support/errors.ts';

/** Two sentences fit a line of a terminal log several times over; a megabyte does not. */
const LONGEST_TEXT = 4_000;
const PIECE_LENGTH = 16;

/** The result of `parse`, or `undefined` when it failed as `allowed` says. Anything else it throws goes on. */
export function outcome<T>(parse: () => T, allowed: (error: unknown) => boolean): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (allowed(error)) return undefined;
    throw error;
  }
}

/** Whether `error` is one of ours, of such a code, and fit for a log. */
export function isPresentable(error: unknown, code: RegExp, secret = ''): boolean {
  return (
    error instanceof PgpassdError &&
    code.test(error.code satisfies ErrorCode) &&
    isFitForLog(`${error.message} ${error.remedy}`) &&
    !holdsPiece(`${error.message} ${error.remedy} ${JSON.stringify(error.details)}`, secret)
  );
}

/** Bounded, and no character that would move the cursor or end the line. */
export function isFitForLog(text: string): boolean {
  return text.length <= LONGEST_TEXT && !/\p{Cc}/u.test(text);
}

/** Whether `text` holds a piece of `secret` long enough to be of use to somebody. */
export function holdsPiece(text: string, secret: string): boolean {
  return holdsBlock(text, secret) && holdsLongPiece(text, secret);
}

const BLOCK_LENGTH = PIECE_LENGTH / 2;

/** Whether it holds one of the blocks that a secret is made of: any piece holds one, and there are few. */
function holdsBlock(text: string, secret: string): boolean {
  for (let at = 0; at + BLOCK_LENGTH <= secret.length; at += BLOCK_LENGTH) {
    if (text.includes(secret.slice(at, at + BLOCK_LENGTH))) return true;
  }
  return false;
}

function holdsLongPiece(text: string, secret: string): boolean {
  for (let at = 0; at + PIECE_LENGTH <= secret.length; at += 1) {
    if (text.includes(secret.slice(at, at + PIECE_LENGTH))) return true;
  }
  return false;
}

export function insist(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}
