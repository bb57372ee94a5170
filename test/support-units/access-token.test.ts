import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lifeOf, ourClock, type StatedLife } from '../../src/support/access-token.ts';

const nowMs = Date.UTC(2026, 10, 24);
const askedAt = { wallMs: nowMs, monotonicMs: 0 };
const seconds = fc.integer({ min: -100_000, max: 200_000 });
const stated: fc.Arbitrary<StatedLife> = fc.record({
  expiresInMs: fc.option(
    seconds.map((each) => each * 1000),
    { nil: undefined },
  ),
  endsAtMs: fc.array(
    seconds.map((each) => nowMs + each * 1000),
    { maxLength: 3 },
  ),
  claims: fc.option(
    seconds.map((each) => ({ exp: nowMs / 1000 + each })),
    { nil: undefined },
  ),
});

const leastOf = ({ expiresInMs = Infinity, endsAtMs, claims }: StatedLife) => {
  const exp = claims === undefined ? Infinity : Number(claims['exp']) * 1000 - nowMs;
  const ends = endsAtMs.map((each) => each - nowMs);
  return { least: Math.min(expiresInMs, exp, ...ends), ends: Math.min(exp, ...ends) };
};

test('by a clock that is right, a life is the least that is stated', () => {
  fc.assert(
    fc.property(stated, (each) => {
      const life = lifeOf(each, { nowMs, uncertaintyMs: 0 }, askedAt);
      const { least } = leastOf(each);
      if (least === Infinity) expect(life).toBeUndefined();
      else if (least >= 1000) expect(life).toMatchObject({ since: askedAt, delayMs: least });
      else expect(life).toBe('has expired already');
    }),
  );
});

test('by our clock it is longer only within clock skew, and never longer than expires_in', () => {
  fc.assert(
    fc.property(stated, (each) => {
      const life = lifeOf(each, ourClock(nowMs), askedAt);
      const { least, ends } = leastOf(each);
      if (typeof life !== 'object') return;
      expect(life.delayMs).toBeLessThanOrEqual(Math.max(least, ends + 300_000));
      expect(life.delayMs).toBeLessThanOrEqual(each.expiresInMs ?? Infinity);
    }),
  );
});
