import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FailedAttempt, mayPassByItself, retryDelayMs } from '../../src/refresh/schedule.ts';
import type { Nature, RefreshErrorCode } from '../../src/support/errors.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const failures = fc.integer({ min: 1, max: 2000 });
const nature = fc.constantFrom<Nature>('transient', 'propagating', 'operator', 'ours');
const HOUR_MS = 3_600_000;

const attempt = (given: Partial<FailedAttempt> = {}): FailedAttempt => ({
  error: { code: 'entra.unavailable', details: {} },
  failures: 100,
  tokenValidForMs: 0,
  random: 0.5,
  ...given,
});

const refused = (each: Nature) => ({ code: 'entra.refused', details: { nature: each } }) as const;
const told = (retryAfterMs: number) =>
  ({ code: 'entra.throttled', details: { nature: 'transient', retryAfterMs } }) as const;

describe('after a failure', () => {
  test.each([
    [1, 1_500],
    [2, 2_500],
    [3, 4_500],
    [4, 8_500],
    [5, 16_500],
    [6, 30_500],
    [7, 30_500],
    [1000, 30_500],
  ])('number %i in a row, the next try is on average in %i ms', (each, expectedMs) => {
    expect(retryDelayMs(attempt({ failures: each }))).toBe(expectedMs);
  });

  test.each<[string, FailedAttempt['error'], number, number]>([
    ['Entra is down and clients are without a token', refused('transient'), 0, 60],
    ['a federated credential may be on its way', refused('propagating'), 0, 60],
    ['an operator has to change something', refused('operator'), 0, 300],
    ['we are at fault', refused('ours'), 0, 300],
    ['Entra is down and the token in place lasts', refused('transient'), HOUR_MS, 120],
    ['the token in place lasts for 5 minutes still', refused('transient'), 300_000, 60],
    ['an operator has to change something, in time', refused('operator'), HOUR_MS, 300],
    ['the volume is full', { code: 'passfile.no-space', details: {} }, HOUR_MS, 60],
    ['the file is missing', { code: 'federated-token.missing', details: {} }, HOUR_MS, 60],
    ['a refusal does not say', { code: 'entra.refused', details: {} }, 0, 300],
    ['the configuration is wrong', { code: 'config.invalid', details: {} }, 0, 300],
  ])('the waits grow to a ceiling: %s', (_case, error, tokenValidForMs, seconds) => {
    const given = { error, tokenValidForMs };
    const longestMs = retryDelayMs(attempt({ ...given, random: 0.999_999 }));
    expect(Math.round(longestMs / 1000)).toBe(seconds);
    expect(retryDelayMs(attempt({ ...given, random: 0 }))).toBe(1_000);
  });

  test('the next try comes no sooner than a second and no later than a doubling ceiling', () => {
    fc.assert(
      fc.property(failures, nature, random, (each, itsNature, chance) => {
        const given = { failures: each, error: refused(itsNature), random: chance };
        const delayMs = retryDelayMs(attempt(given));
        expect(delayMs).toBeGreaterThanOrEqual(1_000);
        expect(delayMs).toBeLessThanOrEqual(Math.min(2 ** each * 1_000, 300_000));
      }),
    );
  });

  test('pods that failed together come back at different times, from the first failure on', () => {
    for (const error of [told(60_000), refused('transient')]) {
      const delaysMs = [0, 0.25, 0.5, 0.75].map((each) =>
        retryDelayMs(attempt({ error, failures: 1, random: each })),
      );
      expect(new Set(delaysMs).size).toBe(4);
    }
  });

  test('the next try comes when the server asks for it', () => {
    const retryAfterMs = fc.integer({ min: 1_000, max: HOUR_MS });
    fc.assert(
      fc.property(failures, retryAfterMs, random, (each, ms, chance) => {
        const given = { failures: each, error: told(ms), random: chance };
        const delayMs = retryDelayMs(attempt(given));
        expect(delayMs).toBeGreaterThanOrEqual(ms);
        expect(delayMs).toBeLessThanOrEqual(ms * 1.1);
      }),
    );
  });

  test('there is always another try before the token in place expires, whatever the server asks', () => {
    const error = fc.oneof(nature.map(refused), fc.integer({ min: 1_000, max: HOUR_MS }).map(told));
    const validMs = fc.integer({ min: 2_001, max: 24 * HOUR_MS });
    fc.assert(
      fc.property(error, failures, validMs, random, (each, count, tokenValidForMs, chance) => {
        const given = { error: each, failures: count, tokenValidForMs, random: chance };
        const leftMs = tokenValidForMs - retryDelayMs(attempt(given));
        expect(leftMs).toBeGreaterThanOrEqual(Math.min(30_000, tokenValidForMs / 2));
      }),
    );
  });

  test('a token that is about to expire, or none, is no reason to ask more often than every second', () => {
    for (const tokenValidForMs of [0, 1, 999, 2_000]) {
      const delayMs = retryDelayMs(attempt({ tokenValidForMs, error: told(HOUR_MS) }));
      expect(delayMs).toBe(tokenValidForMs === 0 ? 1.05 * HOUR_MS : 1_000);
    }
  });
});

const passesByItself: Record<RefreshErrorCode, boolean> = {
  'config.invalid': false,
  'federated-token.missing': true,
  'federated-token.unreadable': true,
  'federated-token.empty': true,
  'federated-token.malformed': true,
  'federated-token.expired': true,
  'entra.refused': true,
  'entra.throttled': true,
  'entra.unavailable': true,
  'entra.unreachable': true,
  'entra.untrusted': true,
  'entra.timeout': true,
  'entra.bad-answer': true,
  'token-source.failed': true,
  'token-command.failed': true,
  'token-command.bad-output': true,
  'passfile.unwritable': false,
  'passfile.no-space': true,
  'passfile.unavailable': true,
  internal: false,
};

test.each(Object.entries(passesByItself) as [RefreshErrorCode, boolean][])(
  'whether %s may pass by itself: %s',
  (code, expected) => {
    expect(mayPassByItself(code)).toBe(expected);
  },
);
