import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { systemClock, watchClockSteps } from '../../src/support/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';

const neverStops = new AbortController().signal;

describe('a sleep', () => {
  test('lasts as long as it was asked to', async () => {
    const before = systemClock.now();
    await systemClock.sleep(20, neverStops);
    // A timer counts whole milliseconds, so it may seem to end up to one early.
    expect(systemClock.now().monotonicMs - before.monotonicMs).toBeGreaterThan(19);
  });

  test.each([
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 + 1,
    30 * 24 * 3_600_000,
    Number.MAX_SAFE_INTEGER,
    Number.POSITIVE_INFINITY,
  ])('of %d ms does not end at once, and ends when it is aborted', async (delayMs) => {
    const stop = new AbortController();
    let ended = false;
    const sleeping = systemClock.sleep(delayMs, stop.signal).then(() => {
      ended = true;
    });
    // A timer that overflows fires after one millisecond, hence before this one.
    await systemClock.sleep(10, neverStops);
    expect(ended).toBe(false);
    stop.abort();
    await sleeping;
    expect(ended).toBe(true);
  });

  test.each([0, -1, -Infinity])('of %d ms ends at once', async (delayMs) => {
    const stop = new AbortController();
    const later = systemClock.sleep(60_000, stop.signal).then(() => 'too late');
    const sleeping = systemClock.sleep(delayMs, neverStops).then(() => 'at once');
    expect(await Promise.race([sleeping, later])).toBe('at once');
    stop.abort();
  });

  test('that is aborted beforehand does not begin', async () => {
    const aborted = AbortSignal.abort();
    await expect(systemClock.sleep(60_000, aborted)).resolves.toBeUndefined();
    expect(getEventListeners(aborted, 'abort')).toEqual([]);
  });

  test('never rejects, whatever the reason to abort it', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(60_000, stop.signal);
    stop.abort(new Error('the process stops'));
    await expect(sleeping).resolves.toBeUndefined();
  });

  test('leaves no listener behind, a hundred times over', async () => {
    const stop = new AbortController();
    for (let count = 0; count < 100; count += 1) await systemClock.sleep(0, stop.signal);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  test('leaves no listener behind when it is aborted', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(2 ** 32, stop.signal);
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
    stop.abort();
    await sleeping;
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
});

test('the wall clock counts from the epoch, the monotonic one never runs back', async () => {
  const before = systemClock.now();
  expect(before.wallMs).toBeGreaterThan(Date.parse('2026-01-01T00:00:00Z'));
  await systemClock.sleep(1, neverStops);
  expect(systemClock.now().monotonicMs).toBeGreaterThan(before.monotonicMs);
});

function watch() {
  const clock = new FakeClock();
  const stop = new AbortController();
  let steps = 0;
  const watching = watchClockSteps(
    clock,
    () => {
      steps += 1;
    },
    stop.signal,
  );
  return {
    clock,
    steps: () => steps,
    async end() {
      stop.abort();
      await watching;
    },
  };
}

test.each<[string, (clock: FakeClock) => void]>([
  ['set forward by a day', (clock) => clock.stepWallClock(86_400_000)],
  ['set back by a day', (clock) => clock.stepWallClock(-86_400_000)],
  ['set by two seconds', (clock) => clock.stepWallClock(2_000)],
  ['that went on in a suspend', (clock) => clock.suspend(3_600_000)],
])('a wall clock %s is noticed within a second, once', async (_case, step) => {
  const { clock, steps, end } = watch();
  await clock.advance(10_000);
  step(clock);
  await clock.advance(1_000);
  expect(steps()).toBe(1);
  await clock.advance(60_000);
  expect(steps()).toBe(1);
  await end();
});

test('a wall clock that is slewed is no step', async () => {
  const { clock, steps, end } = watch();
  for (let second = 0; second < 60; second += 1) {
    clock.stepWallClock(1);
    await clock.advance(1_000);
  }
  expect(steps()).toBe(0);
  await end();
});
