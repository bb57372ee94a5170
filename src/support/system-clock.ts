import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** Above this Node fires a timer at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
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
