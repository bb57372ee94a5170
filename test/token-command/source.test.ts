import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { KnownSecrets } from '../../src/support/secret.ts';
import { createTokenCommand, type TokenCommandParts } from '../../src/token-command/source.ts';
import { manualClock } from '../support-units/manual-clock.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { failureOf } from './failure-of.ts';
import { rdsToken, opaqueToken as token } from './tokens.ts';

const startMs = Date.parse('2026-11-24T12:00:00Z');
const { signal } = new AbortController();

const source = (script: string, changes: Partial<TokenCommandParts> = {}) =>
  createTokenCommand({
    command: ['sh', '-c', script],
    deadlineMs: 10_000,
    clock: manualClock({ wallMs: startMs, monotonicMs: 0 }),
    onStderr: () => undefined,
    secrets: new KnownSecrets(),
    ...changes,
  });

test.each<[string, string, string, number]>([
  ['a bare token', rdsToken, rdsToken, 900],
  [
    'a JWT',
    unsignedJwt({ exp: startMs / 1000 + 60 }),
    unsignedJwt({ exp: startMs / 1000 + 60 }),
    60,
  ],
  ['JSON', JSON.stringify({ token, expires_in: 3600 }), token, 3600],
])('%s becomes an access token', async (_kind, output, expected, lifeSeconds) => {
  const issued = await source(`printf '%s\\n' '${output}'`, { lifetimeSeconds: 900 })(signal);
  expect(issued.token.unwrap()).toBe(expected);
  expect(issued.expiresInSeconds).toBe(lifeSeconds);
});

test('a life that ends at a moment is counted from the start of the command', async () => {
  let nowMs = startMs;
  const clock = {
    ...manualClock({ wallMs: 0, monotonicMs: 0 }),
    now: () => ({ wallMs: nowMs, monotonicMs: 0 }),
  };
  const output = JSON.stringify({ token, expires_on: startMs / 1000 + 3600 });
  const issued = source(`printf '%s' '${output}'`, { clock })(signal);
  nowMs += 5_000;
  expect((await issued).expiresInSeconds).toBe(3600);
});

test.each([
  ['nothing', 'true'],
  ['two lines', `echo ${token}; echo ${token}`],
  ['1 MB', 'yes x | tr -d "\\n" | head -c 1000000'],
])('%s for a token is an error', async (_case, script) => {
  const error = await failureOf(() => source(script, { lifetimeSeconds: 900 })(signal), [token]);
  expect(error.code).toBe('token-command.bad-output');
});

test('the token of an earlier run is in no error of a later one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-token-command-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const succeedsOnce = `echo "renewing ${token}" >&2; mkdir "$0" && echo ${token}`;
  const fetchToken = source('', {
    command: ['sh', '-c', succeedsOnce, join(directory, 'done')],
    lifetimeSeconds: 900,
  });
  await fetchToken(signal);
  const error = await failureOf(() => fetchToken(signal), [token]);
  expect(error.message).toContain('renewing [redacted]');
});
