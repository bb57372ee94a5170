import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { openWorkload, startedFor } from './workload.ts';

/** Any port, so that tests beside this one, or a debugger of the developer's, do not have it already. */
const ANY_PORT = '--inspect-port=0';

/** Sends itself the signal before the program's own first line. */
const signalled = `data:text/javascript,${encodeURIComponent("process.kill(process.pid, 'SIGUSR1')")}`;

const LISTENING = /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)\//;

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function portOfDebugger(pgpassd: Pgpassd): Promise<number> {
  for (;;) {
    const [, port] = LISTENING.exec(pgpassd.errors()) ?? [];
    if (port !== undefined) return Number(port);
    await setImmediate();
  }
}

describe("SIGUSR1 opens no port to Node's debugger", () => {
  test('of run, which goes on', async () => {
    const { start } = await openWorkload();
    const pgpassd = start(['run'], { env: { NODE_OPTIONS: ANY_PORT } });
    await pgpassd.waitFor('token.refreshed');
    pgpassd.signal('SIGUSR1');
    for (let refresh = 0; refresh < 2; refresh += 1) {
      pgpassd.signal('SIGHUP');
      await pgpassd.waitFor(startedFor('request'));
      await pgpassd.waitFor('token.refreshed');
    }
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
    expect(pgpassd.errors()).toBe('');
  });

  test('of once, which gets there', async () => {
    const { entra, volume, start } = await openWorkload({ federatedToken: null });
    const pgpassd = start(['once'], { env: { NODE_OPTIONS: ANY_PORT } });
    await pgpassd.waitFor('refresh.failed');
    pgpassd.signal('SIGUSR1');
    await volume.write(await entra.cluster.issueServiceAccountToken());
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    expect(pgpassd.errors()).toBe('');
  });

  test.each(['run', 'wait'])(
    'of %s for long when it comes before the program has begun',
    async (command) => {
      const { start } = await openWorkload();
      const env = { NODE_OPTIONS: `${ANY_PORT} --import ${signalled}` };
      const pgpassd = start([command, '--passfile', '/no/such/directory/pgpass'], { env });
      const port = await portOfDebugger(pgpassd);
      while (await isOpen(port)) await setImmediate();
      pgpassd.signal('SIGTERM');
      expect((await pgpassd.exited).code).toBe(command === 'run' ? 0 : 143);
    },
  );
});

test('a debugger that was asked for stays', async () => {
  const { start } = await openWorkload();
  const pgpassd = start(['run'], { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  const port = await portOfDebugger(pgpassd);
  await pgpassd.waitFor('token.refreshed');
  expect(await isOpen(port)).toBe(true);
});
