import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  adoptedDelayMs,
  adoptedLife,
  elapsedMs,
  instantAt,
  leftMs,
  type RefreshWish,
  refreshDelayMs,
  rotationDelayMs,
} from '../../src/refresh/schedule.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const plain: RefreshWish = {
  lifeMs: hourMs,
  refreshInMs: undefined,
  fraction: 0.5,
  random: 0,
  sameToken: false,
};

/** Below what `Math.random` can return. */
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const lifeMs = fc.integer({ min: 1, max: 30 * 24 * hourMs });
const fraction = fc.double({ min: 0.01, max: 0.99, noNaN: true });
const refreshInMs = fc.option(fc.integer({ min: 1, max: 30 * 24 * hourMs }), { nil: undefined });
const newToken: fc.Arbitrary<RefreshWish> = fc.record({
  lifeMs,
  refreshInMs,
  fraction,
  random,
  sameToken: fc.constant(false),
});

const timeMs = fc.integer({ min: 0, max: 2_000_000_000_000 });
const instant = fc.record({ wallMs: timeMs, monotonicMs: timeMs });

describe('a new token is refreshed', () => {
  test.each<[string, Partial<RefreshWish>, number]>([
    ['at half of its life', {}, 30 * minuteMs],
    ['at another share of it', { fraction: 0.75 }, 45 * minuteMs],
    ['earlier when the server wishes so', { refreshInMs: 10 * minuteMs }, 10 * minuteMs],
    ['in ten seconds when the server wishes for it at once', { refreshInMs: 1 }, 10_000],
    ['no later when the server would wait longer', { refreshInMs: 50 * minuteMs }, 30 * minuteMs],
    ['a day long as well', { lifeMs: 24 * hourMs }, 12 * hourMs],
    ['a little earlier by chance', { random: 0.5 }, 28.5 * minuteMs],
  ])('%s', (_case, wish, expectedMs) => {
    expect(refreshDelayMs({ ...plain, ...wish })).toBeCloseTo(expectedMs, 3);
  });

  test('never later than its share of the life, nor than the server wishes', () => {
    fc.assert(
      fc.property(newToken, (wish) => {
        const delayMs = refreshDelayMs(wish);
        expect(delayMs).toBeLessThanOrEqual(wish.fraction * wish.lifeMs);
        expect(delayMs).toBeLessThanOrEqual(Math.max(10_000, wish.refreshInMs ?? delayMs));
      }),
    );
  });

  test('never more than a tenth earlier than that', () => {
    fc.assert(
      fc.property(newToken, (wish) => {
        const latestMs = Math.min(wish.fraction * wish.lifeMs, wish.refreshInMs ?? wish.lifeMs);
        expect(refreshDelayMs(wish)).toBeGreaterThan(latestMs * 0.899_999);
      }),
    );
  });

  test('at different times by pods that started together', () => {
    const delaysMs = [0, 0.25, 0.5, 0.75].map((each) => refreshDelayMs({ ...plain, random: each }));
    expect(new Set(delaysMs).size).toBe(4);
  });
});

describe('a token that the source hands out again', () => {
  test.each<[string, Partial<RefreshWish>, number]>([
    ['is not asked for at every turn near its end', { lifeMs: 30_000, fraction: 0.1 }, 10_000],
    ['is asked for in time when its end is nearer than that', { lifeMs: 4_000 }, 2_000],
    ['is asked for as usual when there is much left of it', {}, 30 * minuteMs],
  ])('%s', (_case, wish, expectedMs) => {
    expect(refreshDelayMs({ ...plain, sameToken: true, ...wish })).toBe(expectedMs);
  });

  test('is asked for before its end, whatever it says', () => {
    fc.assert(
      fc.property(newToken, (wish) => {
        expect(refreshDelayMs({ ...wish, sameToken: true })).toBeLessThan(wish.lifeMs);
      }),
    );
  });
});

describe('a token that an earlier run left', () => {
  test('keeps its schedule, whatever share of its life that is', () => {
    expect(adoptedDelayMs({ ...plain, fraction: 0.9 }, 0.49 * hourMs, 0)).toBe(54 * minuteMs);
    expect(adoptedDelayMs({ ...plain, fraction: 0.9 }, 0.89 * hourMs, 0)).toBe(54 * minuteMs);
  });

  test('is refreshed at a random moment of the first half of what is left, once it is overdue', () => {
    const passedMs = 40 * minuteMs;
    expect(adoptedDelayMs(plain, passedMs, 0)).toBe(passedMs);
    expect(adoptedDelayMs(plain, passedMs, 0.5)).toBe(45 * minuteMs);
    expect(adoptedDelayMs(plain, passedMs, 1)).toBe(50 * minuteMs);
  });

  test('is due at once when it has expired', () => {
    expect(adoptedDelayMs(plain, 2 * hourMs, 0.5)).toBe(2 * hourMs);
  });

  const now = { wallMs: 100 * hourMs, monotonicMs: 0 };
  const found = (issuedAgoMs: number, leftMs: number) => ({
    issuedAtMs: now.wallMs - issuedAgoMs,
    expiresAtMs: now.wallMs + leftMs,
  });

  test.each<[string, number, number, boolean, number]>([
    ['lives for as long as it says', hourMs, 23 * hourMs, true, 23 * hourMs],
    ['lives for 28 hours at most', hourMs, 40 * hourMs, true, 27 * hourMs],
    ['is not believed when it claims years', 0, 50 * 365 * 24 * hourMs, false, 28 * hourMs],
    [
      'is not believed when its issue lies so far ahead that its end does, too',
      -30 * 365 * 24 * hourMs,
      30 * 365 * 24 * hourMs + hourMs,
      false,
      28 * hourMs,
    ],
    ['may be dated ahead by another clock', -4 * minuteMs, hourMs, true, hourMs],
  ])('%s', (_case, issuedAgoMs, untilMs, believable, expectedMs) => {
    const life = adoptedLife(found(issuedAgoMs, untilMs), now);
    expect(life.believable).toBe(believable);
    expect(leftMs(life.life, now)).toBe(expectedMs);
  });
});

describe('a refresh that a rotation calls for', () => {
  test('is spread over five minutes, or over half of what is left of the token', () => {
    fc.assert(
      fc.property(lifeMs, random, (validForMs, chance) => {
        const delayMs = rotationDelayMs(validForMs, chance);
        expect(delayMs).toBeLessThanOrEqual(validForMs / 2);
        expect(delayMs).toBeCloseTo(chance * Math.min(5 * minuteMs, validForMs / 2), 6);
      }),
    );
  });

  test('comes at once without a valid token', () => {
    expect(rotationDelayMs(0, 0.9)).toBe(0);
  });
});

describe('elapsed time', () => {
  const start = { wallMs: 1_000_000, monotonicMs: 5_000 };

  test.each([
    ['what both clocks say', { wallMs: 1_060_000, monotonicMs: 65_000 }, minuteMs],
    ['the sleep of a suspended machine', { wallMs: 4_600_000, monotonicMs: 6_000 }, hourMs],
    ['what passed while the wall clock was set back', { wallMs: 0, monotonicMs: 65_000 }, minuteMs],
  ])('is %s', (_case, now, expectedMs) => {
    expect(elapsedMs(start, now)).toBe(expectedMs);
  });

  test('that only a wall clock set right seems to end leaves what is left until the end that was told', () => {
    const behind = { since: start, delayMs: hourMs, endsAtMs: 24 * hourMs + 1_000_000 + hourMs };
    const setRight = {
      wallMs: start.wallMs + 24 * hourMs + minuteMs,
      monotonicMs: 5_000 + minuteMs,
    };
    expect(leftMs(behind, setRight)).toBe(59 * minuteMs);
    const unset = { wallMs: start.wallMs + minuteMs, monotonicMs: 5_000 + 2 * hourMs };
    expect(leftMs(behind, unset)).toBe(-hourMs);
  });

  test('is what the clock says that counted more', () => {
    fc.assert(
      fc.property(instant, instant, (since, now) => {
        const onTheWallMs = now.wallMs - since.wallMs;
        const monotonicMs = now.monotonicMs - since.monotonicMs;
        const elapsed = elapsedMs(since, now);
        expect(elapsed).toBeGreaterThanOrEqual(onTheWallMs);
        expect(elapsed).toBeGreaterThanOrEqual(monotonicMs);
        expect([onTheWallMs, monotonicMs]).toContain(elapsed);
      }),
    );
  });

  test.each([
    ['half way', 30_000, 30_000],
    ['at the end', minuteMs, 0],
    ['after it', 90_000, -30_000],
  ])('leaves of a wait, %s, what is left', (_case, passedMs, expectedMs) => {
    const now = { wallMs: start.wallMs, monotonicMs: start.monotonicMs + passedMs };
    expect(leftMs({ since: start, delayMs: minuteMs }, now)).toBe(expectedMs);
  });
});

describe('a moment of the wall clock', () => {
  const now = { wallMs: 1_000_000, monotonicMs: 5_000 };

  test('in the past lies as long ago on both clocks', () => {
    expect(instantAt(400_000, now)).toEqual({ wallMs: 400_000, monotonicMs: -595_000 });
  });

  test('in the future counts as now', () => {
    expect(instantAt(1_000_001, now)).toEqual(now);
  });

  test('is as far from now as elapsed time says', () => {
    fc.assert(
      fc.property(timeMs, instant, (wallMs, at) => {
        expect(elapsedMs(instantAt(wallMs, at), at)).toBe(Math.max(0, at.wallMs - wallMs));
      }),
    );
  });
});
