import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEntries } from '../../src/config/entry.ts';
import { ValueError } from '../../src/config/values.ts';
import { ANY, type Entry, formatLine, formatPassfile } from '../../src/passfile/format.ts';
import { publishPassfile } from '../../src/passfile/publish.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { clientProgram, findProgram } from '../support/postgres/clients.ts';
import { passwordJudge } from '../support/postgres/front/judge.ts';
import { type Front, startFront } from '../support/postgres/front/server.ts';
import { type ClientResult, runClient } from '../support/postgres/running-client.ts';
import {
  addDatabases,
  addRoles,
  type Server,
  sharedServer,
  startTimeoutMs,
} from '../support/postgres/server.ts';
import {
  ABSTRACT_SOCKETS,
  DATABASES,
  DEFAULT_SOCKET_DIRECTORY,
  ELSEWHERE,
  HOST_LISTS,
  INVALID,
  IPV6,
  PAIRS,
  type Row,
  SOCKETS,
  URIS,
  USERS,
} from './connection-string-rows.ts';
import { relay, relayWithTls } from './relay.ts';

const noPsql = findProgram('psql') === undefined;
const noIpv6 = !Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1');

const PASSWORD = 'eyJ0:eyJh\\c2ln';

let server: Server;
let front: Front;
let directory: string;
const relays: NetServer[] = [];
const places = new Map<string, string>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-strings-'));
  server = await sharedServer();
  await addRoles(server, USERS);
  await addDatabases(server, DATABASES);
  const ca = await createCa();
  front = await startFront({
    server: server.connectTarget,
    certificate: await ca.issue({ hosts: ['localhost'] }),
    judge: passwordJudge(new Map(USERS.map((user) => [user, PASSWORD]))),
  });
  const odd = join(directory, 'odd @% dir');
  await mkdir(odd);
  const abstract = basename(directory);
  const socket = `.s.PGSQL.${front.port}`;
  const paths = [join(directory, '.s.PGSQL.5432'), join(directory, socket), join(odd, socket)];
  if (process.platform === 'linux') paths.push(`\0${abstract}/${socket}`);
  for (const path of paths) relays.push(await relayWithTls(front, path));
  places
    .set('{port}', String(front.port))
    .set('{dir}', directory)
    .set('{dir%}', encodeURIComponent(directory))
    .set('{odd}', odd)
    .set('{odd%}', encodeURIComponent(odd))
    .set('{abstract}', abstract);
  if (noIpv6) return;
  const relay6 = await relay(front, { host: '::1', port: 0 });
  relays.push(relay6);
  places.set('{port6}', String((relay6.address() as AddressInfo).port));
}, startTimeoutMs);

afterAll(async () => {
  for (const each of relays) each.close();
  await front.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

function fill(text: string): string {
  return [...places].reduce((filled, [place, value]) => filled.replaceAll(place, value), text);
}

let passfiles = 0;

/** Runs psql with nothing but the string and a passfile. */
async function psql(text: string, entries: readonly Entry[]): Promise<ClientResult> {
  passfiles += 1;
  const path = join(directory, `passfile-${passfiles}`);
  const content = Buffer.from(formatPassfile(entries, PASSWORD));
  await publishPassfile({ path, mode: 0o600, owner: undefined }, content);
  const sql = 'select current_user, current_database()';
  const args = ['-w', '-X', '-A', '-t', '-c', sql, '-d', text];
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: directory,
    PGPASSFILE: path,
    // No host to libpq; without it Debian's psql, a script, names the host of a cluster of its own.
    PGHOST: '',
  };
  return await runClient(clientProgram('psql'), args, env, async () => {}).finish();
}

/** The line is the one expected, and the one that libpq looks for. */
async function connects([text, ...lines]: Row): Promise<void> {
  const entries = parseEntries(fill(text));
  const written = entries.map((entry) => formatLine({ entry, password: '' }));
  expect(written).toEqual(lines.map((line) => `${fill(line)}:`));

  const result = await psql(fill(text), entries);
  const { user, database } = entries[0] as Entry;
  expect(result).toMatchObject({ code: 0, stdout: `${user}|${database ?? user}\n` });
}

describe.skipIf(noPsql)('psql finds the line written for (psql must be installed)', () => {
  test.concurrent.for(URIS)('%s', connects);
  test.concurrent.for(PAIRS)('%s', connects);
  test.concurrent.for(HOST_LISTS)('%s', connects);
  test.concurrent.for(ELSEWHERE)('%s', connects);
  test.concurrent.for(SOCKETS)('%s', connects);

  describe.skipIf(process.platform !== 'linux')('an abstract socket (only Linux has them)', () => {
    test.concurrent.for(ABSTRACT_SOCKETS)('%s', connects);
  });

  describe.skipIf(noIpv6)('an IPv6 address (there must be a ::1)', () => {
    test.concurrent.for(IPV6)('%s', connects);
  });

  test('the default socket directory, if libpq was built with it', async ({ skip }) => {
    // Nobody listens on port 1; the message says where libpq looked.
    const { stderr } = await psql('port=1 user=u', []);
    skip(!stderr.includes('"/var/run/postgresql/.s.PGSQL.1"'), 'this libpq has another default');
    for (const row of DEFAULT_SOCKET_DIRECTORY) await connects(row);
  });
});

describe.skipIf(noPsql)('psql refuses as well (psql must be installed)', () => {
  const anyone: Entry = { host: ANY, port: ANY, database: ANY, user: ANY };

  test.concurrent.each(INVALID)('%s', async (text, hint) => {
    expect(() => parseEntries(fill(text))).toThrow(ValueError);
    expect(() => parseEntries(fill(text))).toThrow(hint);
    expect(await psql(fill(text), [anyone])).toMatchObject({
      code: 2,
      stdout: '',
      // It comes from libpq, not from a server that was asked.
      stderr: expect.not.stringContaining('FATAL'),
    });
  });
});
