import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { LoginTarget } from '../../../src/check/login/target.ts';
import { Secret } from '../../../src/support/secret.ts';
import { type Azure, ROLE, SERVER_NAME, startAzure } from '../../postgres/azure.ts';
import { connectTo } from '../../support/postgres/connect-target.ts';
import { sslRequest } from '../../support/postgres/front/wire.ts';
import { startTimeoutMs } from '../../support/postgres/server.ts';
import { issueToken, loginTo, startPeer } from './parts.ts';

let azure: Azure;
let token: Secret;

beforeAll(async () => {
  azure = await startAzure({}, { ownServer: true });
  token = await issueToken();
}, startTimeoutMs);
afterAll(() => azure.close());

/** The server as a pod's environment describes it. */
function server(change: Partial<LoginTarget> = {}): LoginTarget {
  return {
    host: SERVER_NAME,
    hostaddr: azure.front.host,
    port: azure.front.port,
    database: 'postgres',
    user: ROLE,
    sslmode: 'verify-full',
    rootCertPath: azure.client.rootCert,
    connectTimeoutMs: undefined,
    ...change,
  };
}

/** PostgreSQL itself, where the front and its TLS are not. */
function behindTheFront(change: Partial<LoginTarget>): LoginTarget {
  const at = azure.server.connectTarget;
  const where =
    'host' in at
      ? at
      : { host: dirname(at.path), port: Number(at.path.slice(at.path.lastIndexOf('.') + 1)) };
  return server({ ...where, hostaddr: undefined, sslmode: 'disable', ...change });
}

describe('a login to a flexible server', () => {
  test('reports the server', async () => {
    const { mark, found } = await loginTo(server(), token);
    expect(found).toMatch(
      new RegExp(
        String.raw`^${ROLE} logged in to database postgres at ${SERVER_NAME}:\d+ \(127\.0\.0\.1\): ` +
          String.raw`PostgreSQL \d+[.\d]*, TLSv1\.3, \d+ ms$`,
      ),
    );
    expect(mark).toBe('ok');
  });

  test('works under a name of the loopback, too, which is looked up', async () => {
    const finding = await loginTo(server({ host: 'localhost', hostaddr: undefined }), token);
    expect(finding).toMatchObject({ mark: 'ok' });
  });

  test.each([
    ['verify-ca', /TLSv1\.3, \d+ ms$/],
    ['require', /TLSv1\.3 \(sslmode=require verifies nothing\), \d+ ms$/],
  ] as const)('takes any name under PGSSLMODE=%s', async (sslmode, found) => {
    const rootCertPath = sslmode === 'require' ? undefined : azure.client.rootCert;
    const target = server({ host: 'other.example', sslmode, rootCertPath });
    expect(await loginTo(target, token)).toMatchObject({
      mark: 'ok',
      found: expect.stringMatching(found),
    });
  });

  test('takes nothing from the environment by itself', async () => {
    const environment = {
      PGOPTIONS: '-c no_such_setting=1',
      PGREPLICATION: 'database',
      PGAPPNAME: 'someone else',
      PGPASSWORD: 'not the token',
      PGSSLNEGOTIATION: 'nonsense',
    };
    Object.assign(process.env, environment);
    onTestFinished(() => {
      for (const name of Object.keys(environment)) delete process.env[name];
    });
    expect(await loginTo(server(), token)).toMatchObject({ mark: 'ok' });
  });

  test('leaves no session behind', async () => {
    await loginTo(server(), token);
    const sessions = `select 1 from pg_stat_activity where usename = '${ROLE}'`;
    while ((await azure.server.sql(sessions)).length > 0) await new Promise(setImmediate);
  });
});

describe('a login to a flexible server that refuses it', () => {
  const hourAgo = () => Date.now() - 3 * 3_600_000;

  test('gives the SQL that registers a role', async () => {
    const finding = await loginTo(server({ user: `we"ird 'role'` }), token);
    const { entra } = azure;
    expect(finding).toMatchObject({
      mark: 'wrong',
      code: 'server.refused',
      cause: 'role-missing',
      found: expect.stringContaining(entra.objectId),
      remedy: expect.stringContaining(
        `pgaadauth_create_principal_with_oid('we"ird ''role''', '${entra.objectId}', 'service', false, false);`,
      ),
    });
  });

  test('names the object id of a token that the role does not belong to', async () => {
    const objectId = '00000000-1111-2222-3333-444444444444';
    const finding = await loginTo(server(), await issueToken({ identity: { objectId } }));
    expect(finding).toMatchObject({
      cause: 'role-missing',
      remedy: expect.stringContaining(`'${objectId}', 'service'`),
    });
  });

  test.each([
    ['an expired token', () => issueToken({ now: hourAgo }), 'token-expired', /has expired/],
    [
      'a token for something else',
      () => issueToken({ resources: ['https://vault.azure.net'] }),
      'token-other-audience',
      /for https:\/\/ossrdbms-aad\.database\.windows\.net, not for https:\/\/vault\.azure\.net$/,
    ],
    [
      'a token that an old libpq cut',
      async () => new Secret((await issueToken()).unwrap().slice(0, 276)),
      'token-mangled',
      /\(276 characters\)/,
    ],
  ])('reports %s', async (_case, obtain, cause, found) => {
    expect(await loginTo(server(), await obtain())).toMatchObject({
      code: 'server.refused',
      cause,
      found: expect.stringMatching(found),
    });
  });

  test('reports a database that is not there', async () => {
    const finding = await loginTo(server({ database: 'app"db' }), token);
    expect(finding).toMatchObject({
      cause: 'database-missing',
      remedy: expect.stringContaining('CREATE DATABASE "app""db";'),
    });
  });

  test('reports a database that the role may not connect to, and the SQL that lets it', async () => {
    await azure.server.sql('create database "closed"');
    await azure.server.sql('revoke connect on database "closed" from public');
    const closed = server({ database: 'closed' });
    const finding = await loginTo(closed, token);
    const [grant = ''] = /GRANT .*;$/m.exec('remedy' in finding ? finding.remedy : '') ?? [];
    expect(finding).toMatchObject({ cause: 'database-forbidden' });
    await azure.server.sql(grant);
    expect(await loginTo(closed, token)).toMatchObject({ mark: 'ok' });
  });

  test('reports a role that may not log in, and the SQL that lets it', async () => {
    await azure.server.sql(`alter role "${ROLE}" nologin`);
    const finding = await loginTo(server(), token);
    const [alter = ''] = /ALTER .*;$/m.exec('remedy' in finding ? finding.remedy : '') ?? [];
    expect(finding).toMatchObject({ cause: 'role-no-login' });
    await azure.server.sql(alter);
    expect(await loginTo(server(), token)).toMatchObject({ mark: 'ok' });
  });

  test('reports a role that has all of its connections', async () => {
    await azure.server.sql(`alter role "${ROLE}" connection limit 0`);
    const finding = await loginTo(server(), token);
    await azure.server.sql(`alter role "${ROLE}" connection limit -1`);
    expect(finding).toMatchObject({
      cause: 'server-full',
      found: expect.stringContaining(`too many connections for role "${ROLE}"`),
    });
  });

  test('reports a certificate for another name, and the names on it', async () => {
    const finding = await loginTo(server({ host: 'my-server.example' }), token);
    expect(finding).toMatchObject({
      code: 'server.refused',
      cause: 'server-other-name',
      found: expect.stringContaining(`for other names: ${SERVER_NAME}, localhost`),
    });
    expect(await loginTo(server({ host: '127.0.0.1' }), token)).toMatchObject({
      cause: 'server-other-name',
    });
  });

  test.each([undefined, 'system'])(
    'reports a CA that is not in the trust store of the system (PGSSLROOTCERT %s)',
    async (rootCertPath) => {
      expect(await loginTo(server({ rootCertPath }), token)).toMatchObject({
        cause: 'server-untrusted',
        found: expect.stringContaining("that no CA in the system's trust store signed"),
      });
    },
  );

  test('has its CA verified under PGSSLMODE=require, too, when PGSSLROOTCERT names some', async () => {
    const target = server({ sslmode: 'require', rootCertPath: 'system' });
    expect(await loginTo(target, token)).toMatchObject({ cause: 'server-untrusted' });
  });

  test('never gets a token that could be read on the way', async () => {
    const before = azure.front.logins.length;
    const target = server({ sslmode: 'prefer' });
    expect(await loginTo(target, token)).toMatchObject({
      code: 'server.refused',
      cause: 'sslmode-without-tls',
    });
    expect(azure.front.logins.length).toBe(before);
  });

  test('reports that it requires TLS when the client would use none', async () => {
    const target = server({ host: 'localhost', hostaddr: undefined, sslmode: 'disable' });
    expect(await loginTo(target, token)).toMatchObject({
      cause: 'server-requires-tls',
      remedy: expect.stringContaining('PGSSLMODE=verify-full'),
    });
  });
});

describe('a login to a PostgreSQL that knows nothing of tokens', () => {
  beforeAll(async () => {
    const [row] = await azure.server.sql('show hba_file');
    const lines = ['local', 'host'].flatMap((how) => {
      const from = how === 'host' ? ' all' : '';
      return [
        `${how} all barred${from} reject`,
        `${how} all scrammed${from} scram-sha-256`,
        `${how} all hashed${from} md5`,
        `${how} all all${from} trust`,
      ];
    });
    const values = lines.map((line) => `('${line}')`).join();
    await azure.server.sql(`copy (values ${values}) to '${row?.['hba_file']}'`);
    await azure.server.sql(`
      select pg_reload_conf();
      create role barred login;
      create role scrammed login password 'secret';
      set password_encryption = md5;
      create role hashed login password 'secret';
      `);
  });

  test.each([
    ['scrammed', 'SCRAM'],
    ['hashed', 'MD5'],
  ])('asks role %s for a password (%s), which is reported', async (user, method) => {
    expect(await loginTo(behindTheFront({ user }), token)).toMatchObject({
      code: 'server.refused',
      cause: 'server-asks-password',
      found: expect.stringContaining(`asks ${user} for a password (${method}), not for a token`),
      remedy: expect.stringContaining(`'${user}', '${azure.entra.objectId}'`),
    });
  });

  test.each(['scrammed', 'hashed'])('succeeds all the same with a password: %s', async (user) => {
    const finding = await loginTo(behindTheFront({ user }), new Secret('secret'));
    expect(finding).toMatchObject({ mark: 'ok', found: expect.stringContaining('without TLS') });
  });

  test('reports that pg_hba.conf rejects the role', async () => {
    expect(await loginTo(behindTheFront({ user: 'barred' }), token)).toMatchObject({
      cause: 'server-refuses-address',
      found: expect.stringContaining('pg_hba.conf rejects connection'),
    });
  });

  test('is tried in the clear on this machine alone, when there is no TLS', async () => {
    const { port } = await startPeer((socket) => {
      socket.once('data', (opening: Buffer) => {
        if (opening.equals(sslRequest())) return void socket.write('N');
        const upstream = connectTo(azure.server.connectTarget);
        // PostgreSQL may be gone before it has read all.
        upstream.on('error', () => socket.destroy());
        upstream.write(opening);
        socket.pipe(upstream).pipe(socket);
      });
    });
    const here = server({ host: '127.0.0.1', hostaddr: undefined, port });
    expect(await loginTo(here, token)).toMatchObject({
      code: 'server.refused',
      cause: 'server-without-tls',
    });
    const prefer = { ...here, sslmode: 'prefer', rootCertPath: undefined } as const;
    expect(await loginTo(prefer, token)).toMatchObject({
      mark: 'ok',
      found: expect.stringContaining('without TLS'),
    });
    expect(await loginTo({ ...prefer, host: '10.0.0.1' }, token)).toMatchObject({
      cause: 'sslmode-without-tls',
    });
  });
});
