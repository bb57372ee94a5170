import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  initialState,
  isValid,
  nextAttempt,
  type RefreshEvent,
  stateAfter,
} from '../../src/refresh/events.ts';
import { PgpassdError } from '../../src/support/errors.ts';

const now = { wallMs: 1_000_000, monotonicMs: 0 };
const error = new PgpassdError('entra.refused', 'x', 'y');
const token = { expiresAtMs: 2_000_000, remainingMs: 1_000_000, lifeMs: 1_000_000 };
const refreshed = { type: 'token.refreshed', token, refreshInMs: 500_000, tookMs: 1 } as const;
const failed = {
  type: 'refresh.failed',
  cause: 'due',
  error,
  failures: 1,
  token,
  expiredForMs: undefined,
  retryInMs: 2_000,
} as const;
const recovered = { type: 'refresh.recovered', failures: 1, lastedMs: 1 } as const;

const stateFrom = (...events: RefreshEvent[]) =>
  events.reduce((state, event) => stateAfter(state, event, now), initialState);

test('events that say nothing of the state leave it as it is', () => {
  const silent: RefreshEvent[] = [
    { type: 'passfile.written' },
    { type: 'refresh.started', cause: 'due' },
    { type: 'template.changed' },
    { type: 'watch.failed', what: 'passfile', error: undefined },
  ];
  for (const event of silent) expect(stateAfter(initialState, event, now)).toBe(initialState);
});

test('a failure lasts until a recovery', () => {
  const { failure } = stateFrom(failed);
  expect(failure).toMatchObject({ error, atMs: now.wallMs, failures: 1 });
  // A token alone is no recovery: the template may still fail.
  expect(stateFrom(failed, refreshed).failure).toEqual(failure);
  expect(stateFrom(failed, refreshed, recovered).failure).toBeUndefined();
});

test('a template that is written at last leaves the failure of refreshing', () => {
  const full = new PgpassdError('passfile.no-space', 'x', 'y');
  const template = { ...failed, cause: 'template', error: full } as const;
  expect(stateFrom(failed, template).failure?.error).toBe(full);
  expect(stateFrom(failed, template, { type: 'passfile.written' }).failure?.error).toBe(error);
  expect(stateFrom(template, { type: 'passfile.unchanged' }).failure).toBeUndefined();
});

test('the next attempt is the retry after a failure, and what is due otherwise', () => {
  const retry = { since: now, delayMs: 2_000 };
  const due = { since: now, delayMs: 500_000, endsAtMs: 1_500_000 };
  expect(nextAttempt(initialState)).toBeUndefined();
  expect(nextAttempt(stateFrom(failed))).toEqual(retry);
  expect(nextAttempt(stateFrom(refreshed))).toEqual(due);
  expect(nextAttempt(stateFrom(refreshed, failed))).toEqual(retry);
  const adopted = { type: 'passfile.adopted', token, refreshInMs: 500_000 } as const;
  expect(nextAttempt(stateFrom(failed, adopted))).toEqual(retry);
  // A template that is in force at last needs no new token.
  expect(nextAttempt(stateFrom(refreshed, failed, recovered))).toEqual(due);
});

test('a valid token that was replaced by an expired one is no longer in place', () => {
  const replaced = { ...refreshed, token: undefined };
  expect(stateFrom(replaced).token).toBeUndefined();
  const { token: inPlace } = stateFrom(refreshed, replaced);
  expect(inPlace?.expiresAtMs).toBe(now.wallMs);
  expect(inPlace && isValid(inPlace, now)).toBe(false);
});

test('a token is valid exactly as long as the events said', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 86_400_000 }), (remainingMs) => {
      const expiresAtMs = now.wallMs + remainingMs;
      const short = { expiresAtMs, remainingMs, lifeMs: remainingMs };
      const placed = stateFrom({ ...refreshed, token: short }).token;
      const after = (ms: number) => ({ wallMs: now.wallMs + ms, monotonicMs: ms });
      expect(placed && isValid(placed, after(remainingMs - 1))).toBe(true);
      expect(placed && isValid(placed, after(remainingMs))).toBe(false);
    }),
  );
});
