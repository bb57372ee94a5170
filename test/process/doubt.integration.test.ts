import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import type { OnTestFinished } from '../support/clean-up.ts';
import type { TokenBody } from '../support/fake-entra/answers.ts';
import type { Fault } from '../support/fake-entra/faults.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { metric, portOf, probe } from './probing.ts';
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

describe.concurrent('an answer whose token is worse than none leaves the token in place', () => {
  test.for(worse)('when it %s', async ([_case, fault, words], { expect, onTestFinished }) => {
    const { entra, passfile, startHere } = await openWorkload({ onTestFinished });
    const pgpassd = startHere(['run']);
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

  test('and once, which has none, ends with 5', async ({ expect, onTestFinished }) => {
    const { entra, directory, startHere } = await openWorkload({ onTestFinished });
    entra.faults.always(giving({ exp: nowSeconds() - 900 }));
    const pgpassd = startHere(['once', '--timeout', '10s']);
    expect(await pgpassd.exited, pgpassd.output()).toMatchObject({ code: 5 });
    await expect(stat(join(directory, 'pgpass'))).rejects.toThrow('ENOENT');
  });
});

test.concurrent('a token that is only shorter-lived is taken when an operator asks', async ({
  expect,
  onTestFinished,
}) => {
  const { entra, passfile, startHere } = await openWorkload({ onTestFinished });
  const pgpassd = startHere(['run']);
  await pgpassd.waitFor('token.refreshed');
  entra.faults.next({ kind: 'mutate', change: (body) => ({ ...body, expires_in: 600 }) });
  pgpassd.signal('SIGHUP');
  const { tokenValidForSeconds } = await pgpassd.waitFor('token.refreshed');
  expect(tokenValidForSeconds).toBeLessThanOrEqual(600);
  expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[1]));
});

describe.concurrent('a command that keeps its token, and claims an hour for it each time', () => {
  const open = async (lifeSeconds: number, onTestFinished: OnTestFinished) => {
    const workload = await openWorkload({ onTestFinished });
    const token = unsignedJwt({ exp: nowSeconds() + lifeSeconds, sub: 'app' });
    const printed = join(workload.directory, 'printed');
    await writeFile(printed, JSON.stringify({ access_token: token, expires_in: 3600 }));
    const args = ['--token-command', `cat ${printed}`];
    return { ...workload, token, args };
  };

  test('is told, and its end stays what it was', async ({ expect, onTestFinished }) => {
    const { passfile, startHere, args } = await open(3000, onTestFinished);
    const pgpassd = startHere(['run', ...args], { env: alone });
    const first = await pgpassd.waitFor('token.refreshed');
    const before = await fingerprint(passfile);
    pgpassd.signal('SIGHUP');
    const again = await pgpassd.waitFor('token.unchanged');
    expect(again['tokenExpiresAt']).toBe(first['tokenExpiresAt']);
    expect(await fingerprint(passfile)).toEqual(before);
    expect(await metric(pgpassd, 'pgpassd_refreshes_total{result="success"}')).toBe(1);
  });

  test('gives once nothing when it expired a quarter of an hour ago', async ({
    expect,
    onTestFinished,
  }) => {
    const { directory, startHere, args } = await open(-900, onTestFinished);
    const pgpassd = startHere(['once', '--timeout', '10s', ...args], { env: alone });
    expect(await pgpassd.exited, pgpassd.output()).toMatchObject({ code: 5 });
    expect(pgpassd.errors()).toContain('expired already');
    await expect(stat(join(directory, 'pgpass'))).rejects.toThrow('ENOENT');
  });
});

test.concurrent('an answer from a cache is as old as it says', async ({
  expect,
  onTestFinished,
}) => {
  const { entra, startHere } = await openWorkload({ onTestFinished });
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
  const pgpassd = startHere(['run']);
  const { tokenValidForSeconds } = await pgpassd.waitFor('token.refreshed');
  expect(tokenValidForSeconds).toBeLessThanOrEqual(599);
  expect(tokenValidForSeconds).toBeGreaterThan(500);
});
