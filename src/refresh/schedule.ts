import type { Instant } from '../support/clock.ts';

/** A due time is looked at this often, however far away: a clock may step, a machine may sleep. */
export const LONGEST_NAP_MS = 30_000;

/** Whatever a source says of its tokens, and however often somebody asks: attempts start this far apart. */
export const SHORTEST_INTERVAL_MS = { due: 500, asked: 1_000 } as const;

/** Refreshing is spread over this share of its delay, always to the early side. */
const JITTER = 0.1;

/** What a source says, or hands out again until shortly before its end, makes nobody ask more often than this. */
const SOURCE_FLOOR_MS = 10_000;

/** A time to come: so long after a moment that both clocks remember. */
export interface Wait {
  readonly since: Instant;
  readonly delayMs: number;
}

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

/** The same for a token that an earlier run left: with half of its life gone it is due at once. */
export function adoptedDelayMs(wish: RefreshWish, elapsedMs: number): number {
  return elapsedMs < wish.lifeMs / 2 ? refreshDelayMs(wish) : 0;
}

/**
 * How much has passed since `start`, judged by the clock that says more: the wall clock counts a
 * suspended machine's sleep, the monotonic one is blind to the wall clock being set back.
 */
export function elapsedMs(start: Instant, now: Instant): number {
  return Math.max(now.wallMs - start.wallMs, now.monotonicMs - start.monotonicMs);
}

/** How long is left of a wait; 0 or less when it is over. */
export function leftMs({ since, delayMs }: Wait, now: Instant): number {
  return delayMs - elapsedMs(since, now);
}

/** A moment of the wall clock as an instant on both clocks; one in the future counts as now. */
export function instantAt(wallMs: number, now: Instant): Instant {
  const agoMs = Math.max(0, now.wallMs - wallMs);
  return { wallMs: now.wallMs - agoMs, monotonicMs: now.monotonicMs - agoMs };
}
