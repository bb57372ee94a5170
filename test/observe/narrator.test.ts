import { describe, expect, test } from 'vitest';
import { createNarrator } from '../../src/observe/narrator.ts';
import type { RefreshEvent } from '../../src/refresh/events.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { FakeClock } from '../support/fake-clock.ts';

const error = new PgpassdError('entra.refused', 'Entra refused the exchange', 'Set the subject.', {
  details: { aadsts: 'AADSTS700213' },
});
const failed = {
  type: 'refresh.failed',
  error,
  failures: 3,
  token: undefined,
  expiredForMs: 1_000,
  retryInMs: 2_000,
} as const satisfies RefreshEvent;
const otherError = new PgpassdError('entra.refused', 'Entra refused', 'Add one.', {
  details: { aadsts: 'AADSTS70025' },
});
const token = { expiresAtMs: 1, remainingMs: 1_000, lifeMs: 3_600_000 };

function narration() {
  const clock = new FakeClock();
  const narrate = createNarrator(clock);
  const level = (event: RefreshEvent) => narrate(event).level;
  return { clock, level };
}

describe('while clients are without a token', () => {
  test('the same failure is told once a minute, and at level debug in between', async () => {
    const { clock, level } = narration();
    const levels: string[] = [];
    for (let second = 0; second <= 120; second += 20) {
      levels.push(level(failed));
      await clock.advance(20_000);
    }
    expect(levels).toEqual(['fatal', 'debug', 'debug', 'fatal', 'debug', 'debug', 'fatal']);
  });

  test('a day of tries every second is a line a minute', async () => {
    const { clock, level } = narration();
    let told = 0;
    for (let second = 0; second < 86_400; second += 1) {
      if (level(failed) === 'fatal') told += 1;
      if (second % 60 === 59) await clock.advance(60_000);
    }
    expect(told).toBe(1_440);
  });

  test('another failure is told at once', () => {
    const { level } = narration();
    expect([level(failed), level({ ...failed, error: otherError }), level(failed)]).toEqual([
      'fatal',
      'fatal',
      'fatal',
    ]);
  });

  test('a token that expired is told at once after a start without one', () => {
    const { level } = narration();
    expect(level({ ...failed, expiredForMs: undefined })).toBe('error');
    expect(level({ ...failed, expiredForMs: undefined })).toBe('debug');
    expect(level(failed)).toBe('fatal');
  });

  test('a failure after a recovery is told at once', () => {
    const { level } = narration();
    level(failed);
    level({ type: 'token.refreshed', token, refreshInMs: 1, tookMs: 1 });
    expect(level(failed)).toBe('fatal');
  });
});

test('while a token is valid every failure is told', () => {
  const { level } = narration();
  expect([level({ ...failed, token }), level({ ...failed, token })]).toEqual(['error', 'error']);
});

test('that files cannot be watched is told once', () => {
  const { level } = narration();
  const failure = (what: 'passfile' | 'template') =>
    level({ type: 'watch.failed', what, error: new Error('EMFILE') });
  expect([failure('passfile'), failure('template'), failure('passfile')]).toEqual([
    'warn',
    'debug',
    'debug',
  ]);
});

test('whatever else happens is told as it is', () => {
  const { level } = narration();
  level(failed);
  expect([level({ type: 'passfile.written' }), level({ type: 'passfile.written' })]).toEqual([
    'info',
    'info',
  ]);
});
