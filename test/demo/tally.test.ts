import { expect, test } from 'vitest';
import type { DaemonLine, Happening } from './happening.ts';
import { count, emptyTally } from './tally.ts';

const nowMs = 1_800_000_000_000;

function daemon(event: string, fields: Partial<DaemonLine> = {}): Happening {
  return {
    kind: 'pgpassd',
    atMs: nowMs,
    line: { level: 'info', event, message: event, ...fields },
  };
}

function connect(tookMs: number, error?: string): Happening {
  const outcome = error === undefined ? { ok: true } : { ok: false, error };
  return { kind: 'client', atMs: nowMs, connect: { ...outcome, tookMs } };
}

const refreshed = daemon('token.refreshed', {
  tokenExpiresAtMs: nowMs + 9_000,
  nextRefreshInMs: 4_500,
});
const failed = daemon('refresh.failed', {
  message:
    'Entra refused it. Look there. There is no token yet, so clients cannot connect; next attempt in 1 s.',
  remedy: 'Look there.',
});

const tallyOf = (...happenings: Happening[]) => happenings.reduce(count, emptyTally);

test('the first token is no rotation', () => {
  expect(tallyOf(refreshed)).toMatchObject({
    accessTokenRotations: 0,
    accessToken: { sinceMs: nowMs, expiresAtMs: nowMs + 9_000, refreshAtMs: nowMs + 4_500 },
  });
  expect(tallyOf(refreshed, refreshed, refreshed).accessTokenRotations).toBe(2);
});

test('a token that was gone before it could be published is not in place', () => {
  expect(tallyOf(daemon('token.refreshed')).accessToken).toBeUndefined();
});

test('a rotation of the federated token counts once pgpassd has noticed it', () => {
  const swapped: Happening = { kind: 'kubelet', atMs: nowMs, expiresAtMs: nowMs + 20_000 };
  expect(tallyOf(swapped)).toMatchObject({
    federatedTokenRotations: 0,
    federatedToken: { expiresAtMs: nowMs + 20_000 },
  });
  const noticed = tallyOf(daemon('federated-token.found'), daemon('federated-token.changed'));
  expect(noticed.federatedTokenRotations).toBe(1);
});

test('trouble is told from its remedy, and is over with the next token', () => {
  const troubled = tallyOf(failed);
  expect(troubled).toMatchObject({
    troubled: true,
    failedRefreshes: 1,
    lastTrouble: { message: 'Entra refused it.', remedy: 'Look there.' },
  });
  expect(count(troubled, refreshed)).toMatchObject({ troubled: false, failedRefreshes: 1 });
});

test('connects are counted, and timed when they were let in', () => {
  expect(tallyOf(connect(30), connect(900, 'refused'), connect(20), connect(40)).connects).toEqual({
    ok: 3,
    failed: 1,
    shortestMs: 20,
    longestMs: 40,
    last: { ok: true, tookMs: 40 },
    lastError: 'refused',
    recent: [true, false, true, true],
  });
});
