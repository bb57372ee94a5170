import type { ErrorCode, Nature, PgpassdError } from '../support/errors.ts';

const SHORTEST_MS = 1_000;

/**
 * The longest wait between two tries. Waits between 1 s and a minute bring a fleet that failed
 * together back at 3.3 % a second; while there is time, two minutes halve that.
 */
const CEILING_MS = { soon: 60_000, unhurried: 120_000, operator: 300_000 } as const;

/** A token in place that lasts longer than this leaves time for more than one unhurried wait. */
const UNHURRIED_MS = 300_000;

/** Kept free before the token in place expires, for an attempt and what may still go wrong with it. */
const RESERVE_MS = 30_000;

/** A fleet that was told the same Retry-After is spread over this share of it, always to the late side. */
const RETRY_AFTER_JITTER = 0.1;
const LONGEST_RETRY_AFTER_MS = 3_600_000;

export interface FailedAttempt {
  readonly error: Pick<PgpassdError, 'code' | 'details'>;
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** How long the token in place stays valid; 0 without one. */
  readonly tokenValidForMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/**
 * How long to wait after a failure: what the server asks for, else a random time between one second
 * and a ceiling that doubles with each failure; but never so long that the token in place would
 * expire without another try.
 */
export function retryDelayMs(attempt: FailedAttempt): number {
  const { error, failures, tokenValidForMs, random } = attempt;
  const { retryAfterMs } = error.details;
  const ceilingMs = Math.min(SHORTEST_MS * 2 ** failures, longestWaitMs(error, tokenValidForMs));
  const wishMs =
    retryAfterMs === undefined
      ? SHORTEST_MS + random * (ceilingMs - SHORTEST_MS)
      : Math.min(retryAfterMs * (1 + random * RETRY_AFTER_JITTER), LONGEST_RETRY_AFTER_MS);
  return Math.min(wishMs, latestMs(tokenValidForMs));
}

function longestWaitMs(error: FailedAttempt['error'], tokenValidForMs: number): number {
  const nature = natureOf(error);
  if (nature === 'operator' || nature === 'ours') return CEILING_MS.operator;
  const unhurried = tokenValidForMs > UNHURRIED_MS && !isLocal(error.code);
  return unhurried ? CEILING_MS.unhurried : CEILING_MS.soon;
}

function natureOf({ code, details }: FailedAttempt['error']): Nature {
  if (details.nature !== undefined) return details.nature;
  if (code === 'entra.refused') return 'operator';
  return code === 'config.invalid' || code === 'internal' ? 'ours' : 'transient';
}

/** Trying a file of the pod again is no load on anybody. */
export function isLocal(code: ErrorCode): boolean {
  return code.startsWith('passfile.') || code.startsWith('federated-token.');
}

/** The latest next try that a valid token in place allows; without one there is nothing to be late for. */
function latestMs(tokenValidForMs: number): number {
  if (tokenValidForMs <= 0) return Infinity;
  if (tokenValidForMs > 2 * RESERVE_MS) return tokenValidForMs - RESERVE_MS;
  return Math.max(SHORTEST_MS, tokenValidForMs / 2);
}

/** A passfile that cannot be written stays so until somebody changes the pod; the rest may pass. */
export function mayPassByItself(code: ErrorCode): boolean {
  return code !== 'passfile.unwritable' && code !== 'config.invalid' && code !== 'internal';
}
