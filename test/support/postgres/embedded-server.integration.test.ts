import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startEmbeddedServer } from './embedded-server.ts';
import { type Server, startTimeoutMs } from './server.ts';
import { shareVariable } from './shared.ts';

const asRoot = process.getuid?.() === 0;

function socketOf(server: Server): string {
  if ('path' in server.connectTarget) return server.connectTarget.path;
  throw new Error('the embedded server listens on a socket');
}

/** Resolves when nothing is at the path any more. */
function gone(path: string): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (existsSync(path)) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(dirname(path), check);
    check();
  });
}

describe('an embedded server, whatever the locale around it,', () => {
  let server: Server;

  beforeAll(async () => {
    vi.stubEnv('LC_ALL', 'xx_XX.UTF-8');
    // It runs initdb itself, where others copy what the test run shares.
    vi.stubEnv(shareVariable, undefined);
    server = await startEmbeddedServer('for these tests').finally(() => vi.unstubAllEnvs());
  }, startTimeoutMs);
  afterAll(() => server.stop());

  test('answers SQL on a socket only', async () => {
    expect(server.description).toMatch(/^embedded PostgreSQL \d+(\.\d+)+ \(for these tests\)$/);
    const [row] = await server.sql(
      `select current_user::text as user, current_setting('server_encoding') as encoding,
       datcollate as collation, current_setting('listen_addresses') as addresses
     from pg_database where datname = current_database()`,
    );
    expect(row).toEqual({ user: 'postgres', encoding: 'UTF8', collation: 'C', addresses: '' });
  });

  test('runs SQL in a database of choice', async () => {
    await server.sql('create database other');
    expect(await server.sql('select current_database() as name', 'other')).toEqual([
      { name: 'other' },
    ]);
  });

  test.skipIf(!asRoot)('runs as nobody when started by root (needs root)', async () => {
    expect((await stat(socketOf(server))).uid).toBe(65534);
  });
});

test(
  'leaves nothing behind, and can be stopped again',
  async () => {
    const server = await startEmbeddedServer('for this test');
    onTestFinished(() => server.stop());
    await server.stop();
    expect(existsSync(dirname(socketOf(server)))).toBe(false);
    await server.stop();
  },
  startTimeoutMs,
);

test(
  'ends with its process, even one that is killed',
  async () => {
    const module = new URL('embedded-server.ts', import.meta.url).href;
    const script = `
    const { startEmbeddedServer } = await import(${JSON.stringify(module)});
    const server = await startEmbeddedServer('of a process that is killed');
    console.log(server.connectTarget.path);
  `;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [socketPath] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];

    expect(existsSync(socketPath)).toBe(true);
    owner.kill('SIGKILL');
    await gone(dirname(socketPath));
  },
  startTimeoutMs,
);
