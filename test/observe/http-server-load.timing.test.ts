import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { mostConnections } from '../../src/observe/http-limits.ts';
import type { Answer } from '../../src/observe/http-server.ts';
import {
  connectRaw,
  connectSlowly,
  HALF_A_REQUEST,
  medianProbeMs,
  serve,
  views,
} from './clients.ts';

const MOST_CONNECTIONS = mostConnections(await readFile('/proc/self/limits', 'utf8'));
/** A quiet machine needs a tenth, and one with other work several times as much. */
const PROMPT_MS = 300;

const stuck = () => new Promise<Answer>(() => undefined);

test.each([200, 600])(
  'among %i connections that are held open a probe is answered within 300 ms',
  async (count) => {
    const server = await serve();
    const slow = await connectSlowly(server, count);
    expect(await medianProbeMs(server)).toBeLessThan(PROMPT_MS);
    const evicted = slow.slice(0, Math.max(0, count - MOST_CONNECTIONS));
    for (const { heard } of evicted) expect(await heard).toBe('');
  },
);

test('a header of 1 MB is not taken in, and holds no probe up', async () => {
  const server = await serve();
  const greedy = await connectRaw(server, `${HALF_A_REQUEST}X: ${'x'.repeat(1_000_000)}\r\n\r\n`);
  expect(await medianProbeMs(server)).toBeLessThan(PROMPT_MS);
  // It may be cut off before it has read why.
  expect(await greedy.heard).toMatch(/^(HTTP\/1\.1 431 .*)?$/s);
});

test('during a flood of POSTs a probe is answered within 300 ms', async () => {
  const server = await serve();
  const body = 'x'.repeat(65_536);
  const post = `POST /livez HTTP/1.1\r\nHost: pod\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let posted = 0;
  const flood = Array.from({ length: 50 }, async () => {
    while (posted < 500) {
      posted += 1;
      const { heard } = await connectRaw(server, post);
      // It may be cut off before it has read why.
      expect(await heard).toMatch(/^(HTTP\/1\.1 405 .*)?$/s);
    }
  });
  expect(await medianProbeMs(server)).toBeLessThan(PROMPT_MS);
  await Promise.all(flood);
});

test('no more is read than a little of what is pipelined after a request in work', async () => {
  const server = await serve(new Map([...views, ['/stuck', stuck]]));
  const { socket } = await connectRaw(server, 'GET /stuck HTTP/1.1\r\nHost: pod\r\n\r\n');
  socket.write(`${HALF_A_REQUEST}\r\n`.repeat(500_000));
  expect(await medianProbeMs(server)).toBeLessThan(PROMPT_MS);
  expect(socket.destroyed).toBe(false);
  expect(socket.writableLength).toBeGreaterThan(0);
});
