import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'vitest';
import { lookUntil } from '../support/look-until.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { openWorkload, startedFor } from './workload.ts';

/** Any port, so that tests beside this one, or a debugger of the developer's, do not have it already. */
const ANY_PORT = '--inspect-port=0';

/** Sends itself the signal before the program's own first line. */
const signalled = "process.kill(process.pid, 'SIGUSR1');";

/** And then takes long to start, as on a busy machine. */
const slow = `process.on('newListener', (name) => {
  if (name === 'SIGHUP') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
});`;

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
  await lookUntil(() => LISTENING.test(pgpassd.errors()));
  return Number(LISTENING.exec(pgpassd.errors())?.[1]);
}

describe.concurrent("SIGUSR1 opens no port to Node's debugger", () => {
  test('of run, which goes on', async ({ expect, onTestFinished }) => {
    const { start } = await openWorkload({ onTestFinished });
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

  test('of once, which gets there', async ({ expect, onTestFinished }) => {
    const { entra, volume, start } = await openWorkload({ federatedToken: null, onTestFinished });
    const pgpassd = start(['once'], { env: { NODE_OPTIONS: ANY_PORT } });
    await pgpassd.waitFor('refresh.failed');
    pgpassd.signal('SIGUSR1');
    await volume.write(await entra.cluster.issueServiceAccountToken());
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    expect(pgpassd.errors()).toBe('');
  });

  test.for([
    ['', signalled],
    [', though the start is slow', signalled + slow],
  ] as const)('when it comes before the program has begun%s', async ([_how, preload], context) => {
    const { expect, onTestFinished } = context;
    const { start } = await openWorkload({ onTestFinished });
    const preloaded = `data:text/javascript,${encodeURIComponent(preload)}`;
    const env = { NODE_OPTIONS: `${ANY_PORT} --import ${preloaded}` };
    const pgpassd = start(['wait', '--timeout', '5s'], { env });
    const port = await portOfDebugger(pgpassd);
    let ended = false;
    void pgpassd.exited.then(() => {
      ended = true;
    });
    const seen: boolean[] = [];
    await lookUntil(async () => {
      seen.push(await isOpen(port));
      return ended;
    });
    // The last look may come after the end.
    expect(seen.slice(-10, -1)).toEqual(Array(9).fill(false));
  });
});

test.concurrent('a debugger that was asked for stays', async ({ expect, onTestFinished }) => {
  const { start } = await openWorkload({ onTestFinished });
  const pgpassd = start(['run'], { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
  const port = await portOfDebugger(pgpassd);
  await pgpassd.waitFor('token.refreshed');
  expect(await isOpen(port)).toBe(true);
});
