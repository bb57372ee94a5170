import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCa } from './certificates.ts';
import { type ClientOptions, findProgram, nodePostgres, pgDump, psql } from './clients.ts';
import { passwordJudge } from './front/judge.ts';
import { type Front, startFront } from './front/server.ts';
import { addDatabases, addRoles, type Server, sharedServer, startTimeoutMs } from './server.ts';

const user = 'we:ird\\us er#EXT#@"o\'Neill"';
const database = "dbname=a:b\\c 'd' größe";
const password = 'pa:ss\\wo rd#*"\'';

let server: Server;
let front: Front;
let directory: string;
let options: ClientOptions;

beforeAll(async () => {
  server = await sharedServer();
  await addRoles(server, [user]);
  await addDatabases(server, [database]);
  const ca = await createCa();
  front = await startFront({
    server: server.connectTarget,
    certificate: await ca.issue({ hosts: ['localhost'] }),
    judge: passwordJudge(new Map([[user, password]])),
  });
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-clients-'));
  const rootCert = join(directory, 'ca.pem');
  const passfile = join(directory, 'passfile');
  const line = ['localhost', String(front.port), database, user, password].map(escapeField);
  await writeFile(rootCert, ca.certPem);
  await writeFile(passfile, `${line.join(':')}\n`, { mode: 0o600 });
  options = { host: 'localhost', port: front.port, user, database, passfile, rootCert };
}, startTimeoutMs);

afterAll(async () => {
  await front?.close();
  await server?.stop();
  if (directory) await rm(directory, { recursive: true });
});

function escapeField(field: string): string {
  return field.replace(/[\\:]/g, '\\$&');
}

const sql = 'select current_user, current_database()';
const loggedIn = { code: 0, stdout: `${user}|${database}\n`, stderr: '' };

const withoutPsql = findProgram('psql') === undefined;
test.skipIf(withoutPsql)('psql survives odd names and passwords (needs psql)', async () => {
  expect(await psql({ ...options, sql })).toEqual(loggedIn);
});

test.skipIf(withoutPsql)('psql without a passfile has no password (needs psql)', async () => {
  const result = await psql({ ...options, passfile: undefined });
  expect(result).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no password supplied'),
  });
});

const withoutPgDump = findProgram('pg_dump') === undefined;
test.skipIf(withoutPgDump)('pg_dump logs in with the passfile (needs pg_dump)', async () => {
  const login = front.nextLogin();
  await pgDump(options, '--schema-only');
  // A pg_dump older than the server goes no further than this.
  expect(await login).toMatchObject({ user, database, ok: true });
});

test('node-postgres survives them as well', async () => {
  expect(await nodePostgres({ ...options, sql })).toEqual(loggedIn);
});

test('node-postgres says why it was refused', async () => {
  const passfile = join(directory, 'wrong');
  await writeFile(passfile, '*:*:*:*:wrong\n', { mode: 0o600 });
  const { code, stderr } = await nodePostgres({ ...options, passfile });
  expect(code).toBe(1);
  expect(stderr).toContain('password authentication failed for user');
});

test('a program that is not there is not found', () => {
  expect(findProgram('no-such-program')).toBeUndefined();
});
