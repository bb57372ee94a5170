import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask } from '../observe/clients.ts';
import type { TokenBody } from '../support/fake-entra/answers.ts';
import type { Fault } from '../support/fake-entra/faults.ts';
import { findLeaks } from '../support/leak-check.ts';
import { type Pgpassd, startPgpassd } from '../support/pgpassd-process.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { portOf, probe, probeUntil } from './probing.ts';
import { fingerprint, openWorkload, passfileWith } from './workload.ts';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const other = '00000000-1111-4222-8333-444444444444';

/** What no webhook sets where there is no workload identity. */
const alone = { AZURE_TENANT_ID: '', AZURE_CLIENT_ID: '', AZURE_FEDERATED_TOKEN_FILE: '' };

const giving = (claims: object, changes: object = {}): Fault => ({
  kind: 'mutate',
  change: (body: TokenBody) => ({
    ...body,
    ...changes,
    access_token: unsignedJwt({ exp: nowSeconds() + 3600, ...claims }),
  }),
});

const worse: readonly [string, Fault, RegExp][] = [
  ['has expired', giving({ exp: nowSeconds() - 900 }), /expired already/],
  ['lives for a millisecond', giving({}, { expires_in: 0.001 }), /less than a second/],
  [
    'begins in an hour',
    giving({ nbf: nowSeconds() + 3600, exp: nowSeconds() + 7200 }),
    /not valid yet/,
  ],
  ['is of another tenant', giving({ tid: other }), new RegExp(`tenant ${other}`)],
  ['is for another client', giving({ appid: other }), new RegExp(`client ${other}`)],
  ['is for another client, in version 2', giving({ azp: other }), new RegExp(`client ${other}`)],
  [
    'is for another audience',
    giving({ aud: 'https://graph.microsoft.com' }),
    /graph\.microsoft\.com/,
  ],
  ['has expired by expires_on', giving({}, { expires_on: nowSeconds() - 1 }), /expired already/],
];

describe('an answer whose token is worse than none leaves the token in place', () => {
  test.each(worse)('when it %s', async (_case, fault, words) => {
    const { entra, passfile, start } = await openWorkload();
    const pgpassd = start(['run']);
    await pgpassd.waitFor('token.refreshed');
    const before = await fingerprint(passfile);

    entra.faults.always(fault);
    pgpassd.signal('SIGHUP');
    const failed = await pgpassd.waitFor('refresh.failed');
    expect(failed).toMatchObject({ reason: 'entra.bad-answer', level: 'warn' });
    expect(failed.msg).toMatch(words);
    expect(await fingerprint(passfile)).toEqual(before);
    expect(await probe(await portOf(pgpassd), '/readyz')).toMatchObject({ status: 200 });
  });

  test('and once, which has none, ends with 5', async () => {
    const { entra, directory, start } = await openWorkload();
    entra.faults.always(giving({ exp: nowSeconds() - 900 }));
    const pgpassd = start(['once', '--timeout', '10s']);
    expect(await pgpassd.exited, pgpassd.output()).toMatchObject({ code: 5 });
    await expect(stat(join(directory, 'pgpass'))).rejects.toThrow('ENOENT');
  });
});

test('a token that is only shorter-lived is taken when an operator asks', async () => {
  const { entra, passfile, start } = await openWorkload();
  const pgpassd = start(['run']);
  await pgpassd.waitFor('token.refreshed');
  entra.faults.next({ kind: 'mutate', change: (body) => ({ ...body, expires_in: 600 }) });
  pgpassd.signal('SIGHUP');
  const { tokenValidForSeconds } = await pgpassd.waitFor('token.refreshed');
  expect(tokenValidForSeconds).toBeLessThanOrEqual(600);
  expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[1]));
});

/** `wait` for what is in the passfile, as long as it takes to look once. */
async function waitOnce(passfile: string): Promise<number | null> {
  const env = { PGPASSFILE: passfile, PGPASSD_TIMEOUT: '1s', PGPASSD_MIN_VALIDITY: '1s' };
  return (await startPgpassd({ args: ['wait'], env }).exited).code;
}

async function metric(pgpassd: Pgpassd, name: string): Promise<number> {
  const { body } = await ask({ port: await portOf(pgpassd) }, { path: '/metrics' });
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(body)?.[1]);
}

describe('a command that keeps its token, and claims an hour for it each time', () => {
  const open = async (lifeSeconds: number) => {
    const workload = await openWorkload();
    const token = unsignedJwt({ exp: nowSeconds() + lifeSeconds, sub: 'app' });
    const printed = join(workload.directory, 'printed');
    await writeFile(printed, JSON.stringify({ access_token: token, expires_in: 3600 }));
    const args = ['--token-command', `cat ${printed}`];
    return { ...workload, token, args };
  };

  test('has it believed no longer than it lives, by probes, metrics and wait alike', async () => {
    const { passfile, start, token, args } = await open(6);
    const pgpassd = start(['run', ...args], { env: alone });
    await pgpassd.waitFor('token.refreshed');
    const port = await portOf(pgpassd);
    const exp = Number(
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).exp,
    );
    expect(await metric(pgpassd, 'pgpassd_token_expiry_timestamp_seconds')).toBeCloseTo(exp, 0);

    const untilExpired = await probeUntil(port, '/readyz', ({ status }) => status !== 200);
    const [lastReady, expired] = untilExpired.slice(-2);
    expect(lastReady?.askedAtMs).toBeLessThan(exp * 1000 + 100);
    expect(expired?.answeredAtMs).toBeGreaterThan(exp * 1000 - 100);
    expect(Math.abs(Number(expired?.tokenExpiresAtMs) - exp * 1000)).toBeLessThan(500);
    expect(await waitOnce(passfile)).toBe(7);
    const failed = await pgpassd.waitFor('refresh.failed');
    expect(failed).toMatchObject({ reason: 'token-command.bad-output' });
    expect(await metric(pgpassd, 'pgpassd_refreshes_total{result="success"}')).toBe(1);
    expect(findLeaks(pgpassd.output(), [token])).toEqual([]);
  });

  test('is told, and its end stays what it was', async () => {
    const { passfile, start, args } = await open(3000);
    const pgpassd = start(['run', ...args], { env: alone });
    const first = await pgpassd.waitFor('token.refreshed');
    const before = await fingerprint(passfile);
    pgpassd.signal('SIGHUP');
    const again = await pgpassd.waitFor('token.unchanged');
    expect(again['tokenExpiresAt']).toBe(first['tokenExpiresAt']);
    expect(await fingerprint(passfile)).toEqual(before);
    expect(await metric(pgpassd, 'pgpassd_refreshes_total{result="success"}')).toBe(1);
  });

  test('gives once nothing when it expired a quarter of an hour ago', async () => {
    const { directory, start, args } = await open(-900);
    const pgpassd = start(['once', '--timeout', '10s', ...args], { env: alone });
    expect(await pgpassd.exited, pgpassd.output()).toMatchObject({ code: 5 });
    expect(pgpassd.errors()).toContain('expired already');
    await expect(stat(join(directory, 'pgpass'))).rejects.toThrow('ENOENT');
  });
});

test('an answer from a cache is as old as it says', async () => {
  const { entra, start } = await openWorkload();
  const madeAt = new Date(Date.now() - 3_000_000).toUTCString();
  entra.faults.always({
    kind: 'answer',
    status: 200,
    headers: { date: madeAt, age: '3000', 'content-type': 'application/json' },
    body: JSON.stringify({
      token_type: 'Bearer',
      expires_in: 3599,
      access_token: unsignedJwt({ exp: nowSeconds() + 599 }),
    }),
  });
  const pgpassd = start(['run']);
  const { tokenValidForSeconds } = await pgpassd.waitFor('token.refreshed');
  expect(tokenValidForSeconds).toBeLessThanOrEqual(599);
  expect(tokenValidForSeconds).toBeGreaterThan(500);
});
