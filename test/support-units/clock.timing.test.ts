import { expect, test } from 'vitest';
import { systemClock } from '../../src/support/clock.ts';

test.each([0, -1, -Infinity])('a sleep of %d ms ends at once', async (delayMs) => {
  const before = systemClock.now();
  await systemClock.sleep(delayMs, new AbortController().signal);
  expect(systemClock.now().monotonicMs - before.monotonicMs).toBeLessThan(5_000);
});
