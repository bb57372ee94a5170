import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mostConnections } from '../../src/observe/http-limits.ts';
import type { Answer, Views } from '../../src/observe/http-server.ts';
import { lookUntil } from '../support/look-until.ts';
import { ask, connectRaw, connectSlowly, HALF_A_REQUEST, serve, views } from './clients.ts';

const MOST_CONNECTIONS = mostConnections(await readFile('/proc/self/limits', 'utf8'));

/** With or without a word. */
const TIMED_OUT = /^(HTTP\/1\.1 408 .*)?$/s;

/** Longer than all of it takes on a busy machine. */
const PATIENCE_MS = 120_000;

const stuck = () => new Promise<Answer>(() => undefined);

test('the newest of the connections that are held open stay', async () => {
  const server = await serve(views, PATIENCE_MS);
  const slow = await connectSlowly(server, MOST_CONNECTIONS);
  const [oldest, ...others] = slow;
  await ask(server);
  expect(await oldest?.heard).toBe('');
  for (const { socket } of others) socket.write('\r\n');
  for (const { heard } of others) expect(await heard).toMatch(/^HTTP\/1\.1 200 /);
});

test('a request that is in work is not cut off by those who hold connections open', async () => {
  const asked = Promise.withResolvers<void>();
  const found = Promise.withResolvers<Answer>();
  const view = () => {
    asked.resolve();
    return found.promise;
  };
  const server = await serve(new Map([...views, ['/readyz', view]]), PATIENCE_MS);
  const heard = ask(server, { path: '/readyz' });
  await asked.promise;
  await connectSlowly(server, 2 * MOST_CONNECTIONS);
  await ask(server);
  found.resolve({ status: 200, contentType: 'text/plain', body: 'at last\n' });
  expect(await heard).toMatchObject({ status: 200, body: 'at last\n' });
});

test.each([
  ['says nothing', ''],
  ['stops in its request', HALF_A_REQUEST],
  ['waits for an answer that does not come', 'GET /stuck HTTP/1.0\r\n\r\n'],
])('a client that %s is cut off after its time', async (_what, said) => {
  const server = await serve(new Map([...views, ['/stuck', stuck]]), 200);
  const { heard } = await connectRaw(server, said);
  expect(await heard).toMatch(TIMED_OUT);
});

test('a client that sends its request drop by drop is cut off after its time', async () => {
  const { socket, heard } = await connectRaw(await serve(views, 200), '');
  // Blank lines before a request are skipped (RFC 9112 section 2.2), and not limited in number.
  while (socket.writable) {
    socket.write('\r\n');
    await turn();
  }
  expect(await heard).toMatch(TIMED_OUT);
});

/** More than the system buffers. */
const LARGE = 32 * 1024 * 1024;

const withLarge: Views = new Map([
  ...views,
  ['/large', async () => ({ status: 200, contentType: 'text/plain', body: 'x'.repeat(LARGE) })],
]);

test('a client that does not read its answer is cut off after its time', async () => {
  const server = await serve(withLarge, 200);
  const { socket, heard } = await connectRaw(server, 'GET /large HTTP/1.0\r\n\r\n');
  socket.pause();
  await lookUntil(async () => (await establishedAt(server.port)) === 0);
  socket.resume();
  expect((await heard).length).toBeLessThan(LARGE);
});

test('where all others have a request in work, who does not read gives way to a probe', async () => {
  const server = await serve(new Map([...withLarge, ['/stuck', stuck]]), PATIENCE_MS);
  const lazy = await connectRaw(server, 'GET /large HTTP/1.0\r\n\r\n');
  lazy.socket.pause();
  for (let others = 1; others < MOST_CONNECTIONS; others += 1)
    await connectRaw(server, 'GET /stuck HTTP/1.0\r\n\r\n');
  expect((await ask(server)).status).toBe(200);
  lazy.socket.resume();
  expect((await lazy.heard).length).toBeLessThan(LARGE);
});

/** The ends of the server: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html */
async function establishedAt(port: number): Promise<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map((path) =>
    readFile(path, 'utf8').catch(() => ''),
  );
  const lines = (await Promise.all(tables)).join('').split('\n');
  return lines.filter((line) => {
    const [, address = '', , state] = line.trim().split(/\s+/);
    return address.endsWith(local) && state === '01';
  }).length;
}
