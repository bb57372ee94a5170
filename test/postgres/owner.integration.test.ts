import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { commandHere } from '../support/command-here.ts';
import { pgpassdEnv } from '../support/pgpassd-process.ts';
import { clientProgram, findProgram } from '../support/postgres/clients.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { type Azure, ROLE, SERVER_NAME, startAzure } from './azure.ts';

const notHere = process.getuid?.() !== 0 || findProgram('psql') === undefined;

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
  await chmod(dirname(azure.passfile), 0o755);
}, startTimeoutMs);
afterAll(() => azure.close());

test.skipIf(notHere)(
  'with --owner a client of that user gets in and one of another does not (needs root and psql)',
  async () => {
    const { entra, volume, passfile } = azure;
    const entries = [`${SERVER_NAME}:*:*:${ROLE}`];
    const env = pgpassdEnv({ entra, tokenPath: volume.tokenPath, passfile, entries });
    const once = await commandHere(['once', '--owner', '1000:1000'], env, onTestFinished);
    expect(once).toMatchObject({ exitCode: 0 });
    expect(await psqlAs(1000)).toBe(0);
    expect(await psqlAs(1001)).toBe(2);
  },
);

/** The exit code of a psql that runs as `uid` and knows nothing but PGPASSFILE. */
async function psqlAs(uid: number): Promise<number | null> {
  const { host, hostaddr, port, user, database, passfile, rootCert } = azure.client;
  const child = spawn(clientProgram('psql'), ['-w', '-X', '-c', 'select 1'], {
    uid,
    gid: uid,
    cwd: '/',
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      PGHOST: host,
      PGHOSTADDR: hostaddr,
      PGPORT: String(port),
      PGUSER: user,
      PGDATABASE: database,
      PGPASSFILE: passfile,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: rootCert,
    },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}
