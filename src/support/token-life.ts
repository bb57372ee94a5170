import { type JwtClaims, numericDateMs } from './jwt.ts';

/** What a clock says, and by how much it may be off. */
export interface ClockReading {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly uncertaintyMs: number;
}

/** Without a better clock than ours, a disagreement of up to this counts as clock skew; Entra allows as much. */
const CLOCK_SKEW_MS = 300_000;

/** Our own clock, where the issuer does not tell the time. */
export function ourClock(nowMs: number): ClockReading {
  return { nowMs, uncertaintyMs: CLOCK_SKEW_MS };
}

/** How long a token lives, as far as its issuer says so in one place or another. */
export interface StatedLife {
  /** `expires_in`: counted from now. */
  readonly expiresInSeconds: number | undefined;
  /** `expires_on` and the like: moments by the issuer's clock, in milliseconds since the epoch. */
  readonly endsAtMs: readonly number[];
  /** Of a JWT: its `exp` and `nbf` count as well. */
  readonly claims: JwtClaims | undefined;
}

export interface TokenLife {
  /** Counted from now; at least 1. */
  readonly expiresInSeconds: number;
  /** The same end by the issuer's clock, in milliseconds since the epoch, where that is known. */
  readonly endsAtMs: number | undefined;
}

/** Why a token is of no use, as the end of a sentence that begins with the token. */
export type UnusableLife =
  | 'has expired already'
  | 'lives for less than a second'
  | 'is not valid yet';

/** Several machines answer for one issuer; their clocks need not agree to the second. */
const ISSUER_SKEW_MS = 10_000;

const SHORTEST_LIFE_SECONDS = 1;

/** Whether a token is valid by its `nbf`, as far as the clock can tell. */
export function hasBegun(claims: JwtClaims, { nowMs, uncertaintyMs }: ClockReading): boolean {
  const startsAtMs = numericDateMs(claims, 'nbf') ?? -Infinity;
  return startsAtMs <= nowMs + Math.max(uncertaintyMs, ISSUER_SKEW_MS);
}

/**
 * The life of a token is the least that is stated. `expires_in` does not depend on a clock, so where it
 * exceeds the other statements by no more than the clock may be off, it holds. `undefined` when nothing
 * is stated.
 */
export function lifeOf(
  { expiresInSeconds, endsAtMs, claims = {} }: StatedLife,
  clock: ClockReading,
): TokenLife | UnusableLife | undefined {
  if (!hasBegun(claims, clock)) return 'is not valid yet';

  const ends = [...endsAtMs, numericDateMs(claims, 'exp')].filter((each) => each !== undefined);
  const endMs = ends.length === 0 ? undefined : Math.min(...ends);
  const untilEndSeconds = endMs === undefined ? Infinity : (endMs - clock.nowMs) / 1000;
  const statedSeconds = expiresInSeconds ?? Infinity;
  const skewed = statedSeconds - untilEndSeconds <= clock.uncertaintyMs / 1000;
  const seconds = expiresInSeconds !== undefined && skewed ? expiresInSeconds : untilEndSeconds;
  if (seconds === Infinity) return undefined;
  if (seconds <= 0) return 'has expired already';
  if (seconds < SHORTEST_LIFE_SECONDS) return 'lives for less than a second';
  const endNowMs = clock.nowMs + seconds * 1000;
  if (clock.uncertaintyMs < CLOCK_SKEW_MS) return { expiresInSeconds: seconds, endsAtMs: endNowMs };
  const agrees = endMs !== undefined && Math.abs(endMs - endNowMs) <= clock.uncertaintyMs;
  return { expiresInSeconds: seconds, endsAtMs: agrees ? endMs : undefined };
}
