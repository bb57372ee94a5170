import { describe, expect, test } from 'vitest';
import { liveness, type OnDisk, type Pulse, readiness, startup } from '../../src/observe/health.ts';
import {
  type DaemonState,
  initialState,
  type RefreshEvent,
  stateAfter,
  type TokenInPlace,
} from '../../src/refresh/events.ts';
import type { Instant } from '../../src/support/clock.ts';
import { PgpassdError } from '../../src/support/errors.ts';

const START_MS = Date.UTC(2026, 10, 24);
const HOUR_MS = 3_600_000;

/** The same time after the start on both clocks, unless the wall clock was set. */
const at = (ms: number, stepMs = 0): Instant => ({
  wallMs: START_MS + ms + stepMs,
  monotonicMs: ms,
});

const token: TokenInPlace = {
  expiresAtMs: START_MS + HOUR_MS,
  remainingMs: HOUR_MS,
  lifeMs: HOUR_MS,
};
const unreachable = new PgpassdError('entra.unreachable', 'no way', 'Find one.');

const refreshed: RefreshEvent = {
  type: 'token.refreshed',
  token,
  refreshInMs: HOUR_MS / 2,
  tookMs: 100,
};
const failed: RefreshEvent = {
  type: 'refresh.failed',
  cause: 'due',
  error: unreachable,
  failures: 1,
  token,
  expiredForMs: undefined,
  retryInMs: 1_000,
};

const stateFrom = (...events: RefreshEvent[]): DaemonState =>
  events.reduce((state, event) => stateAfter(state, event, at(0)), initialState);

describe('a daemon is ready', () => {
  const holding = stateFrom(refreshed);

  test.each<[string, DaemonState, OnDisk, number, boolean, string]>([
    ['starting', initialState, 'ours', 0, false, 'the passfile has not held a valid token yet'],
    ['failing from the start', stateFrom(failed), 'ours', 0, false, 'not held a valid token'],
    ['holding a token', holding, 'ours', 0, true, 'holds a valid token'],
    ['in the last millisecond', holding, 'ours', HOUR_MS - 1, true, 'holds a valid token'],
    ['at the expiry', holding, 'ours', HOUR_MS, false, 'the token in the passfile has expired'],
    ['failing to refresh', stateFrom(refreshed, failed), 'ours', 0, true, 'refreshing it fails'],
    ['without its file', holding, 'missing', 0, false, 'the passfile is missing'],
    ['with a loosened file', holding, 'mode', 0, false, 'wrong mode'],
    ['with a link in its place', holding, 'not-a-file', 0, false, 'not a regular file'],
    ['with a file given away', holding, 'owner', 0, false, 'belongs to another user'],
    ['with a changed file', holding, 'content', 0, false, 'was changed'],
    ['on a dead volume', holding, 'unknown', 0, false, 'does not respond'],
    ['stopping', { ...holding, stopping: true }, 'ours', 0, false, 'stopping'],
    ['expired and without its file', holding, 'missing', HOUR_MS, false, 'has expired'],
  ])('or not, and says why: %s', (_case, state, onDisk, ms, ok, reason) => {
    const verdict = readiness(state, onDisk, at(ms));
    expect(verdict).toEqual({ ok, reason: expect.stringContaining(reason) });
  });

  test('until the clock that is ahead says that the token has expired', () => {
    expect(readiness(holding, 'ours', at(0, HOUR_MS)).ok).toBe(false);
    expect(readiness(holding, 'ours', at(HOUR_MS, -HOUR_MS)).ok).toBe(false);
  });

  test('again with the next token', () => {
    const next = stateAfter(holding, refreshed, at(2 * HOUR_MS));
    expect(readiness(next, 'ours', at(2 * HOUR_MS)).ok).toBe(true);
  });
});

describe('a daemon has started', () => {
  test.each<[string, boolean, RefreshEvent[]]>([
    ['nothing happened', false, []],
    ['a failure', false, [failed]],
    [
      'a token that had expired before it was in place',
      false,
      [{ ...refreshed, token: undefined }],
    ],
    ['a token', true, [refreshed]],
    ['a token and a failure', true, [refreshed, failed]],
    ["an earlier run's token", true, [{ type: 'passfile.adopted', token, refreshInMs: 0 }]],
  ])('after %s: %s', (_case, ok, events) => {
    expect(startup(stateFrom(...events)).ok).toBe(ok);
  });

  test('for good, also when the token has expired', () => {
    const expired = stateAfter(stateFrom(refreshed), failed, at(2 * HOUR_MS));
    expect(startup(expired).ok).toBe(true);
  });
});

describe('a daemon lives', () => {
  const pulse = (given: Partial<Pulse>): Pulse => ({
    turnedAtMs: 0,
    turnsWithinMs: 30_000,
    stallMs: 0,
    ...given,
  });

  test.each<[string, Partial<Pulse>, number, boolean]>([
    ['just turned', {}, 0, true],
    ['late for its turn', {}, 60_000, true],
    ['about to miss the third deadline', {}, 90_000, true],
    ['having missed three deadlines', {}, 90_001, false],
    ['napping for a moment, on a busy machine', { turnsWithinMs: 1 }, 89_000, true],
    ['at work within its limit', { turnsWithinMs: 50_000 }, 150_000, true],
    ['at work for too long', { turnsWithinMs: 50_000 }, 150_001, false],
    ['with a stutter', { stallMs: 10_000 }, 0, true],
    ['with a stall', { stallMs: 10_001 }, 0, false],
  ])('or not: %s', (_case, given, ms, ok) => {
    expect(liveness(initialState, pulse(given), at(ms)).ok).toBe(ok);
  });

  const unstarted = (systemCode: string): RefreshEvent => ({
    ...failed,
    error: new PgpassdError('token-command.failed', 'no', 'Do.', { details: { systemCode } }),
  });
  const noProcess = unstarted('EAGAIN');
  const noFile = unstarted('EMFILE');
  const noMemory = unstarted('ENOMEM');
  const noProgram = unstarted('ENOENT');
  const notExecutable = unstarted('EACCES');
  const recovered: RefreshEvent = { type: 'refresh.recovered', failures: 3, lastedMs: 1_000 };

  test.each<[string, RefreshEvent[], boolean]>([
    ['Entra is away for long', Array<RefreshEvent>(100).fill(failed), true],
    ['no process could be started twice', [noProcess, noProcess], true],
    ['no process could be started', [noProcess, noProcess, noProcess], false],
    ['no files could be opened for it', [noFile, noFile, noFile], false],
    ['there was no memory for it', [noMemory, noMemory, noMemory], false],
    ['now it is this and now that', [noProcess, noFile, noMemory], false],
    ['it was not found before', [noProgram, noProgram, noProcess], true],
    ['it might not be executed before', [notExecutable, notExecutable, noFile], true],
    ['it was not found in between', [noProcess, noProcess, noProgram, noProcess], true],
    ['it was not found at first', [noProgram, noProcess, noProcess, noProcess], false],
    ['the node was out of files before', [unstarted('ENFILE'), unstarted('ENFILE'), noFile], true],
    ['one could be started in between', [noProcess, noProcess, failed, noProcess], true],
    ['it recovered in between', [noProcess, noProcess, recovered, noProcess], true],
    ['it recovered', [noProcess, noProcess, noProcess, recovered], true],
    ['there is no such program', Array<RefreshEvent>(100).fill(noProgram), true],
    ['the node is out of files', Array<RefreshEvent>(100).fill(unstarted('ENFILE')), true],
  ])('or not, with commands to start: %s', (_case, events, ok) => {
    expect(liveness(stateFrom(...events), pulse({}), at(0)).ok).toBe(ok);
  });

  test('whatever is done to the wall clock', () => {
    expect(liveness(initialState, pulse({}), at(0, 24 * HOUR_MS)).ok).toBe(true);
    expect(liveness(initialState, pulse({}), at(90_001, -24 * HOUR_MS)).ok).toBe(false);
  });

  test('or not, and says for how long', () => {
    expect(liveness(initialState, pulse({}), at(95_000)).reason).toContain('for 95 s');
    expect(liveness(initialState, pulse({ stallMs: 12_345 }), at(0)).reason).toContain('for 12 s');
  });
});
