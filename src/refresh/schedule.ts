import type { Instant, Wait } from '../support/clock.ts';
import type { ErrorCode, Nature, PgpassdError } from '../support/errors.ts';

/** The due time is checked at least this often, since a clock may step and a machine may be suspended. */
export const LONGEST_NAP_MS = 30_000;

/** The shortest interval between attempts, whatever the source says and however often a refresh is requested. */
export const SHORTEST_INTERVAL_MS = { due: 500, asked: 1_000 } as const;

/** The delay of a refresh is shortened at random by up to this share. */
const JITTER = 0.1;

/** An adopted token that is overdue is refreshed within this share of its remaining life. */
const OVERDUE_SPREAD = 0.5;

/**
 * A change that reaches all pods at once, such as a new issuer, is spread over this time, or over half of
 * the current token's remaining life if that is shorter. In a shorter time, retries of some pods would
 * coincide with first attempts of others.
 */
const ROTATION_SPREAD_MS = 300_000;

/** Entra's tokens live for up to a day; a longer claim is cut to this. */
const LONGEST_ADOPTED_LIFE_MS = 28 * 3_600_000;

/** Entra never issues a token with a longer life. */
const UNBELIEVABLE_LIFE_MS = 48 * 3_600_000;

/** The shortest interval between refreshes, whatever the source asks for, even if it returns a cached token. */
const SOURCE_FLOOR_MS = 10_000;

/** What the refresh loop is doing: since when it has been sleeping, or working. */
export interface Turn {
  readonly at: Instant;
  /** How long the sleep is to last; absent while working. */
  readonly napMs: number | undefined;
}

export interface RefreshWish {
  readonly lifeMs: number;
  /** The server's own wish; the earlier time counts. */
  readonly refreshInMs: number | undefined;
  /** The share of the life after which to refresh, above 0 and below 1. */
  readonly fraction: number;
  /** In [0, 1). */
  readonly random: number;
  /** The source returned the current token again. */
  readonly sameToken: boolean;
}

/** How long after it was requested a token is to be refreshed. */
export function refreshDelayMs(wish: RefreshWish): number {
  const wishedMs = Math.max(wish.refreshInMs ?? Infinity, SOURCE_FLOOR_MS);
  const delayMs = Math.min(wish.fraction * wish.lifeMs, wishedMs) * (1 - JITTER * wish.random);
  const floorMs = wish.sameToken ? Math.min(SOURCE_FLOOR_MS, wish.lifeMs / 2) : 0;
  return Math.max(delayMs, floorMs);
}

/**
 * The same for a token that an earlier run left. If it is overdue, because Entra or pgpassd was down, so
 * are those of the whole fleet, as a rule: it is refreshed at a random moment in the first half of its
 * remaining life. `random` is independent of the wish's.
 */
export function adoptedDelayMs(wish: RefreshWish, elapsedMs: number, random: number): number {
  const delayMs = refreshDelayMs(wish);
  if (delayMs > elapsedMs) return delayMs;
  return elapsedMs + random * OVERDUE_SPREAD * Math.max(0, wish.lifeMs - elapsedMs);
}

/** What a token found in a passfile claims, unverified, by the wall clock. */
export interface FoundLife {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** The life of a token found in the passfile, and whether Entra would grant it. */
export function adoptedLife(
  { issuedAtMs, expiresAtMs }: FoundLife,
  now: Instant,
): { readonly life: Wait; readonly believable: boolean } {
  const since = instantAt(issuedAtMs, now);
  const delayMs = Math.min(expiresAtMs - since.wallMs, LONGEST_ADOPTED_LIFE_MS);
  const believable = expiresAtMs - since.wallMs <= UNBELIEVABLE_LIFE_MS;
  return { life: { since, delayMs, endsAtMs: since.wallMs + delayMs }, believable };
}

/** How long to delay a refresh after a rotation; not at all without a valid token. */
export function rotationDelayMs(tokenValidForMs: number, random: number): number {
  return random * Math.min(ROTATION_SPREAD_MS, tokenValidForMs / 2);
}

/** When to refresh a token with this life, `delayMs` after it began. */
export function dueAfter(life: Wait, delayMs: number): Wait {
  const { since, delayMs: lifeMs, endsAtMs } = life;
  return { since, delayMs, endsAtMs: endsAtMs && endsAtMs - lifeMs + delayMs };
}

/**
 * The time since `start`, by the clock on which more has passed: the wall clock includes a suspend, and
 * the monotonic clock is not affected when the wall clock is set back.
 */
export function elapsedMs(start: Instant, now: Instant): number {
  return Math.max(now.wallMs - start.wallMs, now.monotonicMs - start.monotonicMs);
}

/**
 * How long is left of a wait; 0 or less when it is over. A jump of the wall clock can be a suspend, which
 * counts, or a correction, which does not. The issuer's own end tells them apart: while that lies ahead,
 * the jump was a correction.
 */
export function leftMs({ since, delayMs, endsAtMs = -Infinity }: Wait, now: Instant): number {
  const monotonicLeftMs = delayMs - (now.monotonicMs - since.monotonicMs);
  const wallLeftMs = delayMs - (now.wallMs - since.wallMs);
  return Math.min(monotonicLeftMs, Math.max(wallLeftMs, endsAtMs - now.wallMs));
}

/** A moment of the wall clock as an instant on both clocks; a future one counts as now. */
export function instantAt(wallMs: number, now: Instant): Instant {
  const agoMs = Math.max(0, now.wallMs - wallMs);
  return { wallMs: now.wallMs - agoMs, monotonicMs: now.monotonicMs - agoMs };
}

const SHORTEST_RETRY_MS = 1_000;

/**
 * The longest wait between two attempts. With waits between 1 s and a minute, 3.3 % of a fleet that
 * failed together come back in each second; while there is time, two minutes halve that.
 */
const RETRY_CEILING_MS = { soon: 60_000, unhurried: 120_000, operator: 300_000 } as const;

/** A current token with more life left than this allows more than one unhurried wait. */
const UNHURRIED_MS = 300_000;

/** Reserved before the current token expires, for one more attempt and whatever delays it. */
const RESERVE_MS = 30_000;

/** A Retry-After is extended at random by up to this share, so that a fleet does not come back together. */
const RETRY_AFTER_JITTER = 0.1;

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
  const ceilingMs = Math.min(
    SHORTEST_RETRY_MS * 2 ** failures,
    longestWaitMs(error, tokenValidForMs),
  );
  const wishMs =
    retryAfterMs === undefined
      ? SHORTEST_RETRY_MS + random * (ceilingMs - SHORTEST_RETRY_MS)
      : retryAfterMs * (1 + random * RETRY_AFTER_JITTER);
  return Math.min(wishMs, latestRetryMs(tokenValidForMs));
}

/** Failures that only take time, `transient` and `propagating`, are retried alike. */
function longestWaitMs(error: FailedAttempt['error'], tokenValidForMs: number): number {
  const nature = natureOf(error);
  if (nature === 'operator' || nature === 'ours') return RETRY_CEILING_MS.operator;
  const unhurried = tokenValidForMs > UNHURRIED_MS && !isLocal(error.code);
  return unhurried ? RETRY_CEILING_MS.unhurried : RETRY_CEILING_MS.soon;
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
function latestRetryMs(tokenValidForMs: number): number {
  if (tokenValidForMs <= 0) return Infinity;
  if (tokenValidForMs > 2 * RESERVE_MS) return tokenValidForMs - RESERVE_MS;
  return Math.max(SHORTEST_RETRY_MS, tokenValidForMs / 2);
}

/** Whether the failure may resolve by itself; the others last until an operator changes the pod. */
export function mayPassByItself(code: ErrorCode): boolean {
  return code !== 'passfile.unwritable' && code !== 'config.invalid' && code !== 'internal';
}
