import type { ErrorCode, Nature, PgpassdError } from '../support/errors.ts';

const SHORTEST_MS = 1_000;

/**
 * The longest wait between two attempts. With waits between 1 s and a minute, 3.3 % of a fleet that
 * failed together come back in each second; while there is time, two minutes halve that.
 */
const CEILING_MS = { soon: 60_000, unhurried: 120_000, operator: 300_000 } as const;

/** A current token with more life left than this allows more than one unhurried wait. */
const UNHURRIED_MS = 300_000;

/** Reserved before the current token expires, for one more attempt and whatever delays it. */
const RESERVE_MS = 30_000;

/** A Retry-After is extended at random by up to this share, so that a fleet does not come back together. */
const RETRY_AFTER_JITTER = 0.1;
const LONGEST_RETRY_AFTER_MS = 3_600_000;

export interface FailedAttempt {
  readonly error: Pick<PgpassdError, 'code' | 'details'>;
  /** Failures in a row, including this one. */
  readonly failures: number;
  /** How long the current token stays valid; 0 without one. */
  readonly tokenValidForMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/**
 * How long to wait after a failure: as long as the server asks for, else a random time between one
 * second and a ceiling that doubles with each failure; but never so long that the current token would
 * expire without another attempt.
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

/** Failures inside the pod: retrying them puts no load on a server. */
export function isLocal(code: ErrorCode): boolean {
  return code.startsWith('passfile.') || code.startsWith('federated-token.');
}

/** The longest wait that leaves time for an attempt before the current token expires. */
function latestMs(tokenValidForMs: number): number {
  if (tokenValidForMs <= 0) return Infinity;
  if (tokenValidForMs > 2 * RESERVE_MS) return tokenValidForMs - RESERVE_MS;
  return Math.max(SHORTEST_MS, tokenValidForMs / 2);
}

/** Whether the failure may resolve by itself; the others last until an operator changes the pod. */
export function mayPassByItself(code: ErrorCode): boolean {
  return code !== 'passfile.unwritable' && code !== 'config.invalid' && code !== 'internal';
}
