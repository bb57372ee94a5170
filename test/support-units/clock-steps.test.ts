import { expect, test } from 'vitest';
import { watchClockSteps } from '../../src/support/clock-steps.ts';
import { FakeClock } from '../support/fake-clock.ts';

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
