import { describe, expect, test } from 'vitest';
import { createEventLogger } from '../../src/observe/event-logger.ts';
import type { LogLine } from '../../src/observe/log.ts';
import type { RefreshEvent } from '../../src/refresh/events.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { FakeClock } from '../support/fake-clock.ts';

const error = new PgpassdError('entra.refused', 'Entra refused the exchange', 'Set the subject.', {
  details: { aadsts: 'AADSTS700213' },
});
const failed = {
  type: 'refresh.failed',
  cause: 'due',
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

function logging() {
  const clock = new FakeClock();
  const lines: LogLine[] = [];
  const logEvent = createEventLogger(clock, (line) => lines.push(line));
  /** The line for the event. */
  const logged = (event: RefreshEvent): LogLine => {
    logEvent(event);
    const line = lines.pop();
    if (line === undefined) throw new Error(`no line for ${event.type}`);
    return line;
  };
  const level = (event: RefreshEvent) => logged(event).level;
  return { clock, level, logged };
}

describe('while clients are without a token', () => {
  test('the same failure is logged once a minute, and at level debug in between', async () => {
    const { clock, level } = logging();
    const levels: string[] = [];
    for (let second = 0; second <= 120; second += 20) {
      levels.push(level(failed));
      await clock.advance(20_000);
    }
    expect(levels).toEqual(['fatal', 'debug', 'debug', 'fatal', 'debug', 'debug', 'fatal']);
  });

  test('a day of tries every second is a line a minute', async () => {
    const { clock, level } = logging();
    let lines = 0;
    for (let second = 0; second < 86_400; second += 1) {
      if (level(failed) === 'fatal') lines += 1;
      if (second % 60 === 59) await clock.advance(60_000);
    }
    expect(lines).toBe(1_440);
  });

  test('another failure is logged at once', () => {
    const { level } = logging();
    expect([level(failed), level({ ...failed, error: otherError }), level(failed)]).toEqual([
      'fatal',
      'fatal',
      'fatal',
    ]);
  });

  test('a token that expired is logged at once after a start without one', () => {
    const { level } = logging();
    expect(level({ ...failed, expiredForMs: undefined })).toBe('error');
    expect(level({ ...failed, expiredForMs: undefined })).toBe('debug');
    expect(level(failed)).toBe('fatal');
  });

  test('a failure after a recovery is logged at once', () => {
    const { level } = logging();
    level(failed);
    level({ type: 'token.refreshed', token, refreshInMs: 1, tookMs: 1 });
    expect(level(failed)).toBe('fatal');
  });
});

test('while a token is valid every failure is logged', () => {
  const { level } = logging();
  expect([level({ ...failed, token }), level({ ...failed, token })]).toEqual(['error', 'error']);
});

test('that files cannot be watched is logged once', () => {
  const { level } = logging();
  const failure = (what: 'passfile' | 'template') =>
    level({ type: 'watch.failed', what, error: new Error('EMFILE') });
  expect([failure('passfile'), failure('template'), failure('passfile')]).toEqual([
    'warn',
    'debug',
    'debug',
  ]);
});

describe('what others can cause at any rate', () => {
  const identity = { issuer: 'https://issuer.example/', subject: 'me', audience: [] };
  const refusal = new PgpassdError('config.invalid', 'It is bad', 'Mend it.');
  const storms: readonly RefreshEvent[] = [
    { type: 'federated-token.changed', identity, expiresAtMs: undefined, refreshing: false },
    { type: 'federated-token.changed', identity, expiresAtMs: undefined, refreshing: true },
    { type: 'template.changed' },
    { type: 'template.rejected', error: refusal },
    { type: 'passfile.written' },
    { type: 'passfile.unchanged' },
    { type: 'passfile.repaired', damage: 'content', repairs: 1 },
    { type: 'passfile.contested', repairsInAMinute: 6 },
    { type: 'passfile.repair-failed', error: refusal },
    { type: 'token.refreshed', token, refreshInMs: 1, tookMs: 1 },
    { ...failed, token },
  ];

  test.each(storms)(
    'is logged five times a minute, and then how often it happened: $type',
    async (event) => {
      const { clock, logged } = logging();
      const messages: string[] = [];
      for (let tenth = 0; tenth <= 1_200; tenth += 1) {
        const { level, message } = logged(event);
        if (level !== 'debug') messages.push(message);
        await clock.advance(100);
      }
      expect(messages).toHaveLength(11);
      expect(messages[4]).toBe(messages[0]);
      expect(messages[5]).toBe(`${messages[0]} (595 more since this was last logged)`);
      expect(messages[6]).toBe(messages[0]);
    },
  );

  test('does not keep anything else from being logged', () => {
    const { level } = logging();
    for (let swap = 0; swap < 500; swap += 1) level({ type: 'template.changed' });
    expect(level({ type: 'passfile.repaired', damage: 'missing', repairs: 1 })).toBe('warn');
    for (let repair = 0; repair < 500; repair += 1) {
      level({ type: 'passfile.repaired', damage: 'missing', repairs: 1 });
    }
    expect(level({ type: 'passfile.repaired', damage: 'mode', repairs: 1 })).toBe('warn');
  });

  test('is logged as it is when it happens now and then', async () => {
    const { clock, logged } = logging();
    const messages: string[] = [];
    for (let hour = 0; hour < 24; hour += 1) {
      messages.push(logged({ type: 'template.changed' }).message);
      await clock.advance(3_600_000);
    }
    expect(new Set(messages)).toEqual(new Set(['the template changed']));
  });
});

test('everything else is logged as it is', () => {
  const { level } = logging();
  level(failed);
  expect([level({ type: 'passfile.written' }), level({ type: 'passfile.written' })]).toEqual([
    'info',
    'info',
  ]);
});
