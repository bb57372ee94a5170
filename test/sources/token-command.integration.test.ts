import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTokenCommand, type TokenCommandParts } from '../../src/sources/token-command.ts';
import { KnownSecrets } from '../../src/support/secret.ts';
import type { Argv } from '../../src/token-command/split.ts';
import { manualClock } from '../support-units/manual-clock.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { failureOf } from '../token-command/failure-of.ts';
import { rdsToken, opaqueToken as token } from '../token-command/tokens.ts';

const startMs = Date.parse('2026-11-24T12:00:00Z');
const { signal } = new AbortController();

const source = (command: Argv, lifetimeSeconds?: number, changes?: Partial<TokenCommandParts>) =>
  createTokenCommand(
    { command, lifetimeSeconds },
    {
      deadlineMs: 10_000,
      clock: manualClock({ wallMs: startMs, monotonicMs: 0 }),
      onStderr: () => undefined,
      secrets: new KnownSecrets(),
      ...changes,
    },
  );
const sh = (script: string): Argv => ['sh', '-c', script];

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
  const issued = await source(sh(`printf '%s\\n' '${output}'`), 900)(signal);
  expect(issued.token.unwrap()).toBe(expected);
  expect(issued.life.delayMs).toBe(lifeSeconds * 1000);
});

test('a life that ends at a moment is counted from the start of the command', async () => {
  let nowMs = startMs;
  const clock = {
    ...manualClock({ wallMs: 0, monotonicMs: 0 }),
    now: () => ({ wallMs: nowMs, monotonicMs: 0 }),
  };
  const output = JSON.stringify({ token, expires_on: startMs / 1000 + 3600 });
  const issued = source(sh(`printf '%s' '${output}'`), undefined, { clock })(signal);
  nowMs += 5_000;
  expect((await issued).life.delayMs).toBe(3_600_000);
});

test.each([
  ['nothing', 'true'],
  ['two lines', `echo ${token}; echo ${token}`],
  ['1 MB', 'yes x | tr -d "\\n" | head -c 1000000'],
])('%s for a token is an error', async (_case, script) => {
  const error = await failureOf(() => source(sh(script), 900)(signal), [token]);
  expect(error.code).toBe('token-command.bad-output');
});

test('the token of an earlier run is in no error of a later one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-token-command-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const succeedsOnce = `echo "renewing ${token}" >&2; mkdir "$0" && echo ${token}`;
  const fetchToken = source([...sh(succeedsOnce), join(directory, 'done')], 900);
  await fetchToken(signal);
  const error = await failureOf(() => fetchToken(signal), [token]);
  expect(error.message).toContain('renewing [redacted]');
});
