import type { Instant, Wait } from './clock.ts';
import { type JwtClaims, numericDateMs } from './jwt.ts';
import type { Secret } from './secret.ts';

/**
 * A token that opens the server, and how long it is good for. A source makes it at the edge where the
 * token enters; from there on it keeps this form until it is written.
 */
export interface AccessToken {
  readonly token: Secret;
  /** From the request for it to its end: counting from the request errs on the short side. */
  readonly life: Wait;
  /** How long after the request the issuer wishes to be asked again. */
  readonly refreshInMs?: number | undefined;
}

/** PostgreSQL reads a password message of up to 65535 bytes, length and NUL included (`recv_password_packet`). */
export const LONGEST_TOKEN = 65_535 - 5;

/** In characters: what holds a token in JSON, with room for much else. Longer texts are not parsed. */
export const LONGEST_TOKEN_JSON = 4 * LONGEST_TOKEN;

/** Entra's tokens live for a day at most; no issuer's for more than a year. */
export const LONGEST_LIFE_MS = 366 * 86_400_000;

const SHORTEST_LIFE_MS = 1_000;

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
  readonly expiresInMs: number | undefined;
  /** `expires_on` and the like: moments by the issuer's clock, in milliseconds since the epoch. */
  readonly endsAtMs: readonly number[];
  /** Of a JWT: its `exp` and `nbf` count as well. */
  readonly claims: JwtClaims | undefined;
}

/** Why a token cannot be used, as the end of a sentence that begins with the token. */
export type UnusableLife =
  | 'has expired already'
  | 'lives for less than a second'
  | 'is not valid yet';

/** Several machines answer for one issuer; their clocks need not agree to the second. */
const ISSUER_SKEW_MS = 10_000;

/** Whether a token is valid by its `nbf`, as far as the clock can tell. */
export function hasBegun(claims: JwtClaims, { nowMs, uncertaintyMs }: ClockReading): boolean {
  const startsAtMs = numericDateMs(claims, 'nbf') ?? -Infinity;
  return startsAtMs <= nowMs + Math.max(uncertaintyMs, ISSUER_SKEW_MS);
}

/**
 * The life of a token that was requested at `askedAt`: the least that is stated. `expires_in` does not
 * depend on a clock, so where it exceeds the other statements by no more than the clock may be off, it
 * holds. `undefined` when nothing is stated.
 */
export function lifeOf(
  { expiresInMs, endsAtMs, claims = {} }: StatedLife,
  clock: ClockReading,
  askedAt: Instant,
): Wait | UnusableLife | undefined {
  if (!hasBegun(claims, clock)) return 'is not valid yet';

  const ends = [...endsAtMs, numericDateMs(claims, 'exp')].filter((each) => each !== undefined);
  const endMs = ends.length === 0 ? undefined : Math.min(...ends);
  const untilEndMs = endMs === undefined ? Infinity : endMs - clock.nowMs;
  const isSkewed = (expiresInMs ?? Infinity) - untilEndMs <= clock.uncertaintyMs;
  const delayMs = expiresInMs !== undefined && isSkewed ? expiresInMs : untilEndMs;
  if (delayMs === Infinity) return undefined;
  if (delayMs <= 0) return 'has expired already';
  if (delayMs < SHORTEST_LIFE_MS) return 'lives for less than a second';
  const endNowMs = clock.nowMs + delayMs;
  if (clock.uncertaintyMs < CLOCK_SKEW_MS) return { since: askedAt, delayMs, endsAtMs: endNowMs };
  const agrees = endMs !== undefined && Math.abs(endMs - endNowMs) <= clock.uncertaintyMs;
  return { since: askedAt, delayMs, endsAtMs: agrees ? endMs : undefined };
}
