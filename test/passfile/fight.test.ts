import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fight } from '../../src/passfile/fight.ts';

/** Repairs as soon as the fight allows, for as long as somebody undoes each at once. */
function repairsOf(fight: Fight, fromMs: number, untilMs: number): number[] {
  const repairsAtMs: number[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 1 + fight.truceMs(nowMs + 1)) {
    fight.noteRepair(nowMs);
    repairsAtMs.push(nowMs);
  }
  return repairsAtMs;
}

test('five repairs within a minute are peace', () => {
  const fight = new Fight();
  for (const nowMs of [0, 1, 2, 3, 59_000]) {
    expect(fight.truceMs(nowMs)).toBe(0);
    expect(fight.noteRepair(nowMs)).toBeUndefined();
  }
  expect(fight.truceMs(59_001)).toBe(0);
});

test('the sixth begins a fight, told once, and the next has to wait ten seconds', () => {
  const fight = new Fight();
  const told = [0, 1, 2, 3, 4, 5, 6].map((nowMs) => fight.noteRepair(nowMs));
  expect(told).toEqual([undefined, undefined, undefined, undefined, undefined, 6, undefined]);
  expect(fight.truceMs(6)).toBe(10_000);
  expect(fight.truceMs(10_006)).toBe(0);
});

test('somebody who never gives up meets a repair every ten seconds, however long it takes', () => {
  const hour = repairsOf(new Fight(), 0, 3_600_000);
  expect(hour.length).toBeLessThanOrEqual(6 + 360);
  expect(hour.length).toBeGreaterThan(350);
});

test('a minute after the last change it is forgotten, and the next fight is told again', () => {
  const fight = new Fight();
  repairsOf(fight, 0, 100_000);
  expect(fight.truceMs(170_000)).toBe(0);
  const told = [0, 1, 2, 3, 4, 5].map((ms) => fight.noteRepair(170_000 + ms));
  expect(told.at(-1)).toBe(6);
});

test('no minute sees more than twelve repairs, whenever the damage is done', () => {
  const gapsMs = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(gapsMs, (gaps) => {
      const fight = new Fight();
      const repairsAtMs: number[] = [];
      let nowMs = 0;
      for (const gapMs of gaps) {
        nowMs += gapMs;
        nowMs += fight.truceMs(nowMs);
        fight.noteRepair(nowMs);
        repairsAtMs.push(nowMs);
      }
      for (const atMs of repairsAtMs) {
        const within = repairsAtMs.filter((each) => each >= atMs && each < atMs + 60_000);
        expect(within.length).toBeLessThanOrEqual(12);
      }
    }),
  );
});
