import type { Clock, Instant } from '../../src/support/clock.ts';

export interface ManualClock extends Clock {
  /** The delays asked for, in order. */
  readonly sleptMs: readonly number[];
  /** Lets every sleep that is under way end as if its time had come. */
  elapse(): void;
}

/** A clock that stands at `instant`; its sleepers wake when the test says so. */
export function manualClock(instant: Instant): ManualClock {
  const sleptMs: number[] = [];
  let sleepers: (() => void)[] = [];
  return {
    sleptMs,
    now: () => instant,
    sleep: (delayMs, signal) => {
      sleptMs.push(delayMs);
      return new Promise((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
        sleepers.push(resolve);
      });
    },
    elapse: () => {
      for (const wake of sleepers) wake();
      sleepers = [];
    },
  };
}
