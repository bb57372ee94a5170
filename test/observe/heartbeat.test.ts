import { expect, onTestFinished, test } from 'vitest';
import { Heartbeat } from '../../src/observe/health.ts';
import { FakeClock } from '../support/fake-clock.ts';

function startHeart() {
  const clock = new FakeClock();
  const heart = new Heartbeat(clock);
  const stop = new AbortController();
  const stopped = heart.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await stopped;
  });
  return { clock, heart };
}

test('a heart that beats in time knows of no stall', async () => {
  const { clock, heart } = startHeart();
  await clock.advance(3_600_000);
  expect(heart.stallMs).toBe(0);
});

test('a stall is seen while it lasts, and for ten seconds after it', async () => {
  const { clock, heart } = startHeart();
  await clock.advance(5_000);
  const continued = clock.stall(12_000);
  expect(heart.stallMs).toBe(11_000);
  await continued;
  expect(heart.stallMs).toBe(11_000);
  await clock.advance(10_000);
  expect(heart.stallMs).toBe(11_000);
  await clock.advance(1);
  expect(heart.stallMs).toBe(0);
});

test('of two stalls the longer one counts', async () => {
  const { clock, heart } = startHeart();
  await clock.advance(0);
  await clock.stall(12_000);
  await clock.advance(2_000);
  await clock.stall(3_000);
  expect(heart.stallMs).toBe(11_000);
});

test('a step of the wall clock is no stall', async () => {
  const { clock, heart } = startHeart();
  clock.stepWallClock(86_400_000);
  await clock.advance(1_000);
  expect(heart.stallMs).toBe(0);
});
