import type { Clock, Instant } from './clock.ts';

const INTERVAL_MS = 1_000;

/** More than NTP slews the wall clock by in a second, and than a busy machine delays a reading. */
const SHORTEST_STEP_MS = 500;

/**
 * Calls `onStep` within a second when the wall clock was set, or went on while a suspended machine's
 * monotonic clock stood still. Runs until `signal` aborts.
 */
export async function watchClockSteps(
  clock: Clock,
  onStep: () => void,
  signal: AbortSignal,
): Promise<void> {
  let leadMs = leadOf(clock.now());
  while (!signal.aborted) {
    await clock.sleep(INTERVAL_MS, signal);
    const before = leadMs;
    leadMs = leadOf(clock.now());
    if (Math.abs(leadMs - before) >= SHORTEST_STEP_MS) onStep();
  }
}

function leadOf({ wallMs, monotonicMs }: Instant): number {
  return wallMs - monotonicMs;
}
