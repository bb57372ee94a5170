import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANY, type Entry, formatPassfile } from '../../src/passfile/format.ts';
import { publishPassfile } from '../../src/passfile/publish.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { findProgram, psql } from '../support/postgres/clients.ts';
import { passwordJudge } from '../support/postgres/front/judge.ts';
import { type Front, startFront } from '../support/postgres/front/server.ts';
import {
  addDatabases,
  addRoles,
  type Server,
  sharedServer,
  startTimeoutMs,
} from '../support/postgres/server.ts';

const noPsql = findProgram('psql') === undefined;

/** Names as people give them, and as they should not; every one is a user and a database. */
const NAMES = [
  'plain',
  'with:colon',
  'with\\backslash',
  'ends with backslash\\',
  '\\:both:\\',
  'two words',
  ' blanks around ',
  '#hash',
  'user@example.com',
  'guest_example.com#EXT#@tenant.onmicrosoft.com',
  `"double" and 'single'`,
  'Jürgen Größe',
  'ユーザー',
  '*',
  'a*b',
  '=;%$&',
];

const PASSWORDS = [
  'db.example:5432/?Action=connect&DBUser=app&X-Amz-Signature=0123%2Fab',
  'eyJ0.eyJh.c2ln',
  'with:colon',
  'with\\backslash',
  'ends\\',
  ':',
  '#p',
];

let server: Server;
let front: Front;
let directory: string;
const passwords = new Map<string, string>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-escaping-'));
  server = await sharedServer();
  await addRoles(server, NAMES);
  await addDatabases(server, NAMES);
  const ca = await createCa();
  front = await startFront({
    server: server.connectTarget,
    certificate: await ca.issue({ hosts: ['localhost'] }),
    judge: (attempt) => passwordJudge(passwords)(attempt),
  });
}, startTimeoutMs);

afterAll(async () => {
  await front.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Logs in with nothing but a passfile that holds `entries`. */
async function login(entries: Entry[], who: { host: string; user: string; database: string }) {
  const path = join(directory, 'pgpass');
  const password = passwords.get(who.user) ?? '';
  await publishPassfile(
    { path, mode: 0o600, owner: undefined },
    Buffer.from(formatPassfile(entries, password)),
  );
  return await psql({
    ...who,
    hostaddr: front.host,
    port: front.port,
    passfile: path,
    sslmode: 'require',
    sql: 'select current_user',
  });
}

describe.skipIf(noPsql)('what we write, a real libpq finds (psql must be installed)', () => {
  test.each(NAMES)('for user and database %j', async (name) => {
    passwords.set(name, 'eyJ0.eyJh.c2ln');
    const entry: Entry = {
      host: 'localhost',
      port: String(front.port),
      database: name,
      user: name,
    };
    const result = await login([entry], { host: 'localhost', user: name, database: name });
    expect(result).toEqual({ code: 0, stdout: `${name}\n`, stderr: '' });
  });

  test.each(PASSWORDS)('with password %j', async (password) => {
    passwords.set('plain', password);
    const entry: Entry = { host: 'localhost', port: ANY, database: ANY, user: 'plain' };
    const result = await login([entry], { host: 'localhost', user: 'plain', database: 'plain' });
    expect(result).toMatchObject({ code: 0, stdout: 'plain\n' });
  });

  test('for a host that begins with #, which would make a comment of its line', async () => {
    passwords.set('plain', 'secret');
    const entry: Entry = { host: '#host', port: ANY, database: ANY, user: 'plain' };
    const result = await login([entry], { host: '#host', user: 'plain', database: 'plain' });
    expect(result).toMatchObject({ code: 0, stdout: 'plain\n' });
  });

  test('and it does not take a literal * for a wildcard', async () => {
    passwords.set('plain', 'secret');
    const entry: Entry = { host: '*', port: ANY, database: ANY, user: ANY };
    const result = await login([entry], { host: 'localhost', user: 'plain', database: 'plain' });
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('no password') });
  });
});
