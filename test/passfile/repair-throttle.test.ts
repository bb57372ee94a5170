import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RepairThrottle } from '../../src/passfile/guard.ts';

/** Repairs as soon as the throttle allows, while another program undoes each repair at once. */
function repairsOf(throttle: RepairThrottle, fromMs: number, untilMs: number): number[] {
  const repairsAtMs: number[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 1 + throttle.delayMs(nowMs + 1)) {
    throttle.recordRepair(nowMs);
    repairsAtMs.push(nowMs);
  }
  return repairsAtMs;
}

test('five repairs within a minute are not delayed', () => {
  const throttle = new RepairThrottle();
  for (const nowMs of [0, 1, 2, 3, 59_000]) {
    expect(throttle.delayMs(nowMs)).toBe(0);
    expect(throttle.recordRepair(nowMs)).toBeUndefined();
  }
  expect(throttle.delayMs(59_001)).toBe(0);
});

test('the sixth starts throttling, reported once, and the next has to wait ten seconds', () => {
  const throttle = new RepairThrottle();
  const reported = [0, 1, 2, 3, 4, 5, 6].map((nowMs) => throttle.recordRepair(nowMs));
  expect(reported).toEqual([undefined, undefined, undefined, undefined, undefined, 6, undefined]);
  expect(throttle.delayMs(6)).toBe(10_000);
  expect(throttle.delayMs(10_006)).toBe(0);
});

test('a program that never gives up meets a repair every ten seconds, however long it takes', () => {
  const hour = repairsOf(new RepairThrottle(), 0, 3_600_000);
  expect(hour.length).toBeLessThanOrEqual(6 + 360);
  expect(hour.length).toBeGreaterThan(350);
});

test('a minute after the last change repairs are no longer delayed, and the next throttling is reported again', () => {
  const throttle = new RepairThrottle();
  repairsOf(throttle, 0, 100_000);
  expect(throttle.delayMs(170_000)).toBe(0);
  const reported = [0, 1, 2, 3, 4, 5].map((ms) => throttle.recordRepair(170_000 + ms));
  expect(reported.at(-1)).toBe(6);
});

test('no minute sees more than twelve repairs, whenever the damage is done', () => {
  const gapsMs = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(gapsMs, (gaps) => {
      const throttle = new RepairThrottle();
      const repairsAtMs: number[] = [];
      let nowMs = 0;
      for (const gapMs of gaps) {
        nowMs += gapMs;
        nowMs += throttle.delayMs(nowMs);
        throttle.recordRepair(nowMs);
        repairsAtMs.push(nowMs);
      }
      for (const atMs of repairsAtMs) {
        const within = repairsAtMs.filter((each) => each >= atMs && each < atMs + 60_000);
        expect(within.length).toBeLessThanOrEqual(12);
      }
    }),
  );
});
