import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactVerify, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createCa, type ServerCertificate } from '../certificates.ts';
import { findProgram, openPsql, psql, type QueryOptions } from '../clients.ts';
import { addRoles, type Server, sharedServer, startTimeoutMs } from '../server.ts';
import { azureAudience, tokenJudge } from './judge.ts';
import { type Front, startFront } from './server.ts';

const host = 'my-server.postgres.database.azure.test';
const oid = '11111111-2222-3333-4444-555555555555';
const issuedAtS = 1_800_000_000;
const expiresAtS = issuedAtS + 3_600;
const claims = { aud: azureAudience, oid, exp: expiresAtS };

const tenant = await generateKeyPair('RS256');
const foreigner = await generateKeyPair('RS256');
const withoutPsql = findProgram('psql') === undefined;

let server: Server;
let certificate: ServerCertificate;
let expiredCertificate: ServerCertificate;
let directory: string;
let rootCert: string;

beforeAll(async () => {
  server = await sharedServer();
  await addRoles(server, ['app', 'other']);
  const ca = await createCa();
  certificate = await ca.issue({ hosts: [host] });
  expiredCertificate = await ca.issue({ hosts: [host], expired: true });
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-front-'));
  rootCert = join(directory, 'ca.pem');
  await writeFile(rootCert, ca.certPem);
}, startTimeoutMs);

afterAll(async () => {
  await server?.stop();
  if (directory) await rm(directory, { recursive: true });
});

function sign(payload: Record<string, unknown>, { privateKey } = tenant): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
}

async function verifyAccessToken(token: string): Promise<Record<string, unknown>> {
  const { payload } = await compactVerify(token, tenant.publicKey);
  return JSON.parse(new TextDecoder().decode(payload));
}

/** A front whose clock stands still until the test sets it. */
async function frontAt(clock: { nowMs: number }, cert = certificate): Promise<Front> {
  const now = () => clock.nowMs;
  const roles = new Map([['app', oid]]);
  const judge = tokenJudge({ verifyAccessToken, roles, now });
  const front = await startFront({
    server: server.connectTarget,
    certificate: cert,
    judge,
    now,
  });
  onTestFinished(() => front.close());
  return front;
}

async function clientOf(front: Front, token: string): Promise<QueryOptions & { user: string }> {
  const passfile = join(directory, `passfile-${front.port}`);
  await writeFile(passfile, `${host}:*:*:*:${token}\n`, { mode: 0o600 });
  const address = { host, hostaddr: front.host, port: front.port };
  return { ...address, user: 'app', database: 'postgres', passfile, rootCert };
}

describe.skipIf(withoutPsql)('psql with nothing but a passfile (needs psql)', () => {
  test('logs in with a good token', async () => {
    const front = await frontAt({ nowMs: issuedAtS * 1_000 });
    const client = await clientOf(front, await sign(claims));
    const login = front.nextLogin();

    expect(await psql({ ...client, sql: 'select current_user' })).toEqual({
      code: 0,
      stdout: 'app\n',
      stderr: '',
    });
    const at = new Date(issuedAtS * 1_000);
    expect(await login).toEqual({ at, user: 'app', database: 'postgres', ok: true });
    expect(front.logins).toHaveLength(1);
  });

  test('logs in with an older token as long as it is good', async () => {
    const clock = { nowMs: issuedAtS * 1_000 };
    const front = await frontAt(clock);
    const older = await clientOf(front, await sign(claims));
    expect(await psql(older)).toMatchObject({ code: 0 });
    const newer = await clientOf(front, await sign({ ...claims, exp: expiresAtS + 1_800 }));
    expect(await psql(newer)).toMatchObject({ code: 0 });
    expect(await psql(await clientOf(front, await sign(claims)))).toMatchObject({ code: 0 });
  });

  test.each([
    [
      'an expired token',
      () => sign({ ...claims, exp: issuedAtS }),
      'The access token has expired. Please acquire a new token and retry',
    ],
    [
      'a token of another tenant',
      () => sign(claims, foreigner),
      'The access token has invalid format.',
    ],
    [
      'a truncated token',
      async () => (await sign(claims)).slice(0, 276),
      'The access token has invalid format.',
    ],
    [
      'a token for another resource',
      () => sign({ ...claims, aud: 'https://graph.microsoft.com' }),
      'The access token does not have a valid audience claim.',
    ],
    [
      'the token of another principal',
      () => sign({ ...claims, oid: '99999999-2222-3333-4444-555555555555' }),
      'password authentication failed for user "app"',
    ],
  ])('is told what is wrong with %s', async (_, token, reason) => {
    const front = await frontAt({ nowMs: issuedAtS * 1_000 });
    const client = await clientOf(front, await token());
    const { code, stderr } = await psql(client);
    expect(code).toBe(2);
    expect(stderr).toContain(`FATAL:  ${reason}`);
    // libpq adds this only for SQLSTATE 28P01 and a password that came from the file.
    expect(stderr).toContain(`password retrieved from file "${client.passfile}"`);
    expect(front.logins).toMatchObject([{ ok: false, reason: expect.stringContaining(reason) }]);
  });

  test('is refused as a role that is not registered', async () => {
    const front = await frontAt({ nowMs: issuedAtS * 1_000 });
    const client = await clientOf(front, await sign(claims));
    const { stderr } = await psql({ ...client, user: 'other' });
    expect(stderr).toContain('FATAL:  password authentication failed for user "other"');
  });

  test('is refused without TLS, before any password', async () => {
    const front = await frontAt({ nowMs: issuedAtS * 1_000 });
    const client = await clientOf(front, await sign(claims));
    const { code, stderr } = await psql({ ...client, sslmode: 'disable' });
    expect(code).toBe(2);
    expect(stderr).toContain(
      'FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "app", database "postgres", no encryption',
    );
  });

  test('trusts neither another name nor an expired certificate', async () => {
    const front = await frontAt({ nowMs: issuedAtS * 1_000 });
    const client = await clientOf(front, await sign(claims));
    const misnamed = await psql({ ...client, host: 'localhost' });
    expect(misnamed.stderr).toContain('does not match host name "localhost"');

    const stale = await frontAt({ nowMs: issuedAtS * 1_000 }, expiredCertificate);
    const { stderr } = await psql(await clientOf(stale, await sign(claims)));
    expect(stderr).toContain('certificate verify failed');
    expect([...front.logins, ...stale.logins]).toEqual([]);
  });

  test('hears from the server behind what the front does not know', async () => {
    const front = await frontAt({ nowMs: issuedAtS * 1_000 });
    const client = await clientOf(front, await sign(claims));
    const { stderr } = await psql({ ...client, database: 'missing' });
    expect(stderr).toContain('FATAL:  database "missing" does not exist');
  });

  test('keeps a session beyond the end of its token, and gets no new one', async () => {
    const clock = { nowMs: issuedAtS * 1_000 };
    const front = await frontAt(clock);
    const client = await clientOf(front, await sign(claims));
    const session = await openPsql(client);
    session.type("select 'at the beginning';");
    await session.printed('at the beginning');

    clock.nowMs = expiresAtS * 1_000;
    session.type("select 'after the end';");
    await session.printed('after the end');
    const { stderr } = await psql(client);
    expect(stderr).toContain('The access token has expired.');
    expect(await session.finish()).toMatchObject({ code: 0, stderr: '' });
  });

  test('cancels a query', async () => {
    const front = await frontAt({ nowMs: issuedAtS * 1_000 });
    const session = await openPsql(await clientOf(front, await sign(claims)));
    session.type("do $$ begin raise notice 'running'; perform pg_sleep(600); end $$;");
    await session.printed('running');
    session.interrupt();
    await session.printed('canceling statement due to user request');
    await session.finish();
    expect(front.logins).toHaveLength(1);
  });
});
