import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';

/** The same moment on both clocks: the wall clock jumps with the system's, the monotonic one stops in a suspend. */
export interface Instant {
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
  /** Milliseconds since an arbitrary start. */
  readonly monotonicMs: number;
}

export interface Clock {
  now(): Instant;
  /**
   * Resolves after `delayMs`, or as soon as `signal` aborts; callers check why they woke. Never
   * rejects. Any finite delay works, also one above the 2^31-1 ms of a single timer.
   */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

/** With a longer delay Node.js fires a timer at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }),

  async sleep(delayMs, signal) {
    let leftMs = Math.max(0, delayMs);
    while (!signal.aborted) {
      const napMs = Math.min(leftMs, LONGEST_TIMER_MS);
      // The only rejection is the abort, which the loop's condition sees.
      await setTimeout(napMs, undefined, { signal }).catch(() => undefined);
      leftMs -= napMs;
      if (leftMs <= 0) return;
    }
  },
};

const STEP_CHECK_INTERVAL_MS = 1_000;

/** More than NTP slews the wall clock in a second, and more than a busy machine delays a reading. */
const SHORTEST_STEP_MS = 500;

/**
 * Calls `onStep` within a second of the wall clock being set, or of a suspend, during which only the
 * wall clock advances. Runs until `signal` aborts.
 */
export async function watchClockSteps(
  clock: Clock,
  onStep: () => void,
  signal: AbortSignal,
): Promise<void> {
  let leadMs = wallLeadMs(clock.now());
  while (!signal.aborted) {
    await clock.sleep(STEP_CHECK_INTERVAL_MS, signal);
    const before = leadMs;
    leadMs = wallLeadMs(clock.now());
    if (Math.abs(leadMs - before) >= SHORTEST_STEP_MS) onStep();
  }
}

function wallLeadMs({ wallMs, monotonicMs }: Instant): number {
  return wallMs - monotonicMs;
}

/** A delay from a moment that is known on both clocks. */
export interface Wait {
  readonly since: Instant;
  readonly delayMs: number;
  /** Its end by the clock of the token's issuer, in milliseconds since the epoch, if known. */
  readonly endsAtMs?: number | undefined;
}

/** The abort reason when `withDeadline` ran out of time. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

/**
 * Runs `work` with a signal that aborts when `delayMs` have passed (reason: `DeadlinePassed`) or
 * when `signal` does (with its reason). `work` has to end when its signal aborts.
 */
export async function withDeadline<T>(
  clock: Clock,
  delayMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const attempt = new AbortController();
  const timer = new AbortController();
  const stop = () => attempt.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  void clock.sleep(delayMs, timer.signal).then(() => attempt.abort(new DeadlinePassed()));
  try {
    return await work(attempt.signal);
  } finally {
    timer.abort();
    signal.removeEventListener('abort', stop);
  }
}

/** The outcome of `work`; rejects with the reason of `signal` as soon as that aborts. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return await Promise.race([work, aborted]);
}

/** The outcome of `work`, or `undefined` as soon as `signal` aborts, whether or not `work` ever ends. */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  return await unlessAborted(work, signal).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
}

/**
 * Long work in pieces of a few milliseconds. It yields nothing; each `yield` lets the caller run other
 * work first.
 */
export type Steps<T> = Generator<undefined, T, void>;

/** Runs all pieces without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Awaits `pause` between pieces, so that timers, probes and deadlines are not delayed. */
export async function inSteps<T>(steps: Steps<T>, pause: () => Promise<unknown>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await pause();
  }
}
