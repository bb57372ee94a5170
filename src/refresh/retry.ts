import type { ErrorCode } from '../support/errors.ts';

const SHORTEST_MS = 1_000;
const LONGEST_MS = 60_000;

export interface FailedAttempt {
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** What the server asked for. */
  readonly retryAfterMs: number | undefined;
  /** In [0, 1). */
  readonly random: number;
}

/**
 * How long to wait after a failure: what the server asks for, else a random time between one second
 * and a ceiling that doubles from 2 s to a minute, so that many pods do not come back together.
 */
export function retryDelayMs({ failures, retryAfterMs, random }: FailedAttempt): number {
  if (retryAfterMs !== undefined) return retryAfterMs;
  const ceilingMs = Math.min(SHORTEST_MS * 2 ** failures, LONGEST_MS);
  return SHORTEST_MS + random * (ceilingMs - SHORTEST_MS);
}

/** A passfile that cannot be written stays so until somebody changes the pod; the rest may pass. */
export function mayPassByItself(code: ErrorCode): boolean {
  return code !== 'passfile.unwritable' && code !== 'config.invalid' && code !== 'internal';
}
