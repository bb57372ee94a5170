import type { Instant, Wait } from '../support/clock.ts';

/** A due time is looked at this often, however far away: a clock may step, a machine may sleep. */
export const LONGEST_NAP_MS = 30_000;

/** Whatever a source says of its tokens, and however often somebody asks: attempts start this far apart. */
export const SHORTEST_INTERVAL_MS = { due: 500, asked: 1_000 } as const;

/** Refreshing is spread over this share of its delay, always to the early side. */
const JITTER = 0.1;

/** An adopted token that is overdue is refreshed within this share of what is left of it. */
const OVERDUE_SPREAD = 0.5;

/**
 * What reaches all pods at once, such as a new issuer, makes none ask at once: while the token in place
 * is valid, within this time, or within half of what is left of the token. A shorter time would bring
 * those who retry together with those who have not asked yet.
 */
const ROTATION_SPREAD_MS = 300_000;

/** Entra's tokens live for up to a day; what claims to live for longer is bounded. */
const LONGEST_ADOPTED_LIFE_MS = 28 * 3_600_000;

/** A claim beyond this is none of Entra's. */
const UNBELIEVABLE_LIFE_MS = 48 * 3_600_000;

/** What a source says, or hands out again until shortly before its end, makes nobody ask more often than this. */
const SOURCE_FLOOR_MS = 10_000;

/** A turn of the loop: since when it naps, or is at work. */
export interface Turn {
  readonly at: Instant;
  /** How long the nap is to last; absent while at work. */
  readonly napMs: number | undefined;
}

export interface RefreshWish {
  readonly lifeMs: number;
  /** The server's own wish, which wins when it is earlier. */
  readonly refreshInMs: number | undefined;
  /** Share of the life after which to refresh, above 0 and below 1. */
  readonly fraction: number;
  /** In [0, 1). */
  readonly random: number;
  /** The source returned the token that was already in place. */
  readonly sameToken: boolean;
}

/** How long after its acquisition a token is to be refreshed. */
export function refreshDelayMs(wish: RefreshWish): number {
  const wishedMs = Math.max(wish.refreshInMs ?? Infinity, SOURCE_FLOOR_MS);
  const delayMs = Math.min(wish.fraction * wish.lifeMs, wishedMs) * (1 - JITTER * wish.random);
  const floorMs = wish.sameToken ? Math.min(SOURCE_FLOOR_MS, wish.lifeMs / 2) : 0;
  return Math.max(delayMs, floorMs);
}

/**
 * The same for a token that an earlier run left. One that is overdue, for want of Entra or of a running
 * pgpassd, is mostly so in a whole fleet: it is refreshed at a random moment of the first half of what
 * is left. `random` is another one than the wish's.
 */
export function adoptedDelayMs(wish: RefreshWish, elapsedMs: number, random: number): number {
  const delayMs = refreshDelayMs(wish);
  if (delayMs > elapsedMs) return delayMs;
  return elapsedMs + random * OVERDUE_SPREAD * Math.max(0, wish.lifeMs - elapsedMs);
}

/** What a token found in a passfile says of itself, unverified: moments by the wall clock. */
export interface FoundLife {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** The life of a token found in place, and whether it is one that Entra would give. */
export function adoptedLife(
  { issuedAtMs, expiresAtMs }: FoundLife,
  now: Instant,
): { readonly life: Wait; readonly believable: boolean } {
  const since = instantAt(issuedAtMs, now);
  const delayMs = Math.min(expiresAtMs - since.wallMs, LONGEST_ADOPTED_LIFE_MS);
  const believable = expiresAtMs - since.wallMs <= UNBELIEVABLE_LIFE_MS;
  return { life: { since, delayMs, endsAtMs: since.wallMs + delayMs }, believable };
}

/** How long to wait with a refresh that a rotation calls for; without a valid token there is no time. */
export function rotationDelayMs(tokenValidForMs: number, random: number): number {
  return random * Math.min(ROTATION_SPREAD_MS, tokenValidForMs / 2);
}

/** When to refresh a token with this life, `delayMs` after it began. */
export function dueAfter(life: Wait, delayMs: number): Wait {
  const { since, delayMs: lifeMs, endsAtMs } = life;
  return { since, delayMs, endsAtMs: endsAtMs && endsAtMs - lifeMs + delayMs };
}

/**
 * How much has passed since `start`, judged by the clock that says more: the wall clock counts a
 * suspended machine's sleep, the monotonic one is blind to the wall clock being set back.
 */
export function elapsedMs(start: Instant, now: Instant): number {
  return Math.max(now.wallMs - start.wallMs, now.monotonicMs - start.monotonicMs);
}

/**
 * How long is left of a wait; 0 or less when it is over. A wall clock that was wrong and is set right
 * seems to end it, or a suspend does: only that the moment of its end has come tells the two apart.
 */
export function leftMs({ since, delayMs, endsAtMs = -Infinity }: Wait, now: Instant): number {
  const monotonicLeftMs = delayMs - (now.monotonicMs - since.monotonicMs);
  const wallLeftMs = delayMs - (now.wallMs - since.wallMs);
  return Math.min(monotonicLeftMs, Math.max(wallLeftMs, endsAtMs - now.wallMs));
}

/** A moment of the wall clock as an instant on both clocks; one in the future counts as now. */
export function instantAt(wallMs: number, now: Instant): Instant {
  const agoMs = Math.max(0, now.wallMs - wallMs);
  return { wallMs: now.wallMs - agoMs, monotonicMs: now.monotonicMs - agoMs };
}
