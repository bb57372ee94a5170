import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { firstToConnect } from '../../src/entra/connect.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startFullPort } from '../support/full-port.ts';
import { manualClock } from '../support-units/manual-clock.ts';

async function listen(host: string, port = 0): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket));
  await once(server.listen(port, host), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function race(addresses: readonly string[], port: number) {
  const clock = new FakeClock();
  const over = new AbortController();
  const tried: string[] = [];
  const outcome = firstToConnect(addresses, {
    clock,
    signal: over.signal,
    timeoutMs: 10_000,
    port,
    onTry: (address) => tried.push(address),
  });
  return { clock, over, tried, outcome };
}

test('an address that refuses gives way to the next at once', async () => {
  const port = portOf(await listen('127.0.0.3'));
  const { outcome, tried } = race(['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'], port);
  const socket = await outcome;
  onTestFinished(() => void socket.destroy());
  expect(socket.remoteAddress).toBe('127.0.0.3');
  expect(tried).toEqual(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
});

test('the families take turns, beginning with that of the first address', async () => {
  const { outcome, tried } = race(['127.0.0.1', '127.0.0.2', '127.0.0.3', '::1'], 1);
  await expect(outcome).rejects.toMatchObject({ errors: expect.objectContaining({ length: 4 }) });
  expect(tried).toEqual(['127.0.0.1', '::1', '127.0.0.2', '127.0.0.3']);
});

test.each([
  [10_000, 250],
  [600, 100],
])(
  'a silent address gives way within an attempt of %i ms after %i ms, and stays in the race',
  async (timeoutMs, headStartMs) => {
    const port = await startFullPort();
    await listen('127.0.0.3', port);
    const clock = manualClock({ wallMs: 0, monotonicMs: 0 });
    const tried: string[] = [];
    const racing = firstToConnect(['127.0.0.1', '127.0.0.1', '127.0.0.3'], {
      clock,
      timeoutMs,
      signal: new AbortController().signal,
      port,
      onTry: (address) => tried.push(address),
    });
    clock.elapse();
    await setImmediate();
    clock.elapse();
    const socket = await racing;
    onTestFinished(() => void socket.destroy());
    expect(socket.remoteAddress).toBe('127.0.0.3');
    expect(tried).toHaveLength(3);
    expect(clock.sleptMs).toEqual([headStartMs, headStartMs]);
  },
);

test('a second connection, even in the same moment, is closed', async () => {
  const first = await listen('127.0.0.1');
  const port = portOf(first);
  const servers = [first, await listen('127.0.0.2', port), await listen('127.0.0.3', port)];
  const closed = Promise.race(
    [0, 1, 2].map(async (winner) => {
      const others = servers.filter((_, index) => index !== winner);
      await Promise.all(others.map(firstClosed));
      return winner;
    }),
  );
  const clock = manualClock({ wallMs: 0, monotonicMs: 0 });
  const racing = firstToConnect(['127.0.0.1', '127.0.0.2', '127.0.0.3'], {
    clock,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    port,
    onTry: () => clock.elapse(),
  });
  clock.elapse();
  await Promise.resolve();
  clock.elapse();
  const socket = await racing;
  onTestFinished(() => void socket.destroy());
  expect(socket.remoteAddress).toBe(`127.0.0.${(await closed) + 1}`);
});

async function firstClosed(server: Server): Promise<void> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  socket.resume().on('error', () => undefined);
  await once(socket, 'close');
}

test('a single address fails with its own error', async () => {
  await expect(race(['127.0.0.1'], 1).outcome).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a race without a winner ends with its attempt', async () => {
  const { outcome, over } = race(['127.0.0.1'], portOf(await listen('127.0.0.2')));
  over.abort(new Error('out of time'));
  await expect(outcome).rejects.toThrow('out of time');
});
