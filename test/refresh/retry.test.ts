import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayPassByItself, retryDelayMs } from '../../src/refresh/retry.ts';
import type { ErrorCode } from '../../src/support/errors.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

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
  ])('number %i in a row, the next try is on average in %i ms', (failures, expectedMs) => {
    expect(retryDelayMs({ failures, retryAfterMs: undefined, random: 0.5 })).toBe(expectedMs);
  });

  test('the next try comes no sooner than a second and no later than a doubling ceiling', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), random, (failures, chance) => {
        const delayMs = retryDelayMs({ failures, retryAfterMs: undefined, random: chance });
        expect(delayMs).toBeGreaterThanOrEqual(1_000);
        expect(delayMs).toBeLessThanOrEqual(Math.min(2 ** failures * 1_000, 60_000));
      }),
    );
  });

  test('pods that failed together come back at different times, from the first failure on', () => {
    const delaysMs = [0, 0.25, 0.5, 0.75].map((each) =>
      retryDelayMs({ failures: 1, retryAfterMs: undefined, random: each }),
    );
    expect(new Set(delaysMs).size).toBe(4);
  });

  test('the next try comes when the server asks for it', () => {
    const retryAfterMs = fc.integer({ min: 1_000, max: 3_600_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        retryAfterMs,
        random,
        (failures, ms, chance) => {
          const delayMs = retryDelayMs({ failures, retryAfterMs: ms, random: chance });
          expect(delayMs).toBeGreaterThanOrEqual(ms);
          expect(delayMs).toBeLessThanOrEqual(ms * 1.1);
        },
      ),
    );
  });
});

const passesByItself: Record<ErrorCode, boolean> = {
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
  internal: false,
};

test.each(Object.entries(passesByItself) as [ErrorCode, boolean][])(
  'whether %s may pass by itself: %s',
  (code, expected) => {
    expect(mayPassByItself(code)).toBe(expected);
  },
);
