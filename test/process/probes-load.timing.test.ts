import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { HALF_A_REQUEST, medianProbeMs } from '../observe/clients.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { latenessesMs, middleOf, portOf, probe } from './probing.ts';
import { openWorkload, startedFor } from './workload.ts';

const PROMPT_MS = 100;

/** Half of it is the log's rounding, and what the machine has to do besides. */
const ON_TIME_MS = 200;

const REFRESHES = 3;

const PIPELINED = 'GET / HTTP/1.1\r\nHost:\r\n\r\n'.repeat(2_600);

/** Most of it is V8's, which collects its garbage when there is no hurry. */
const MOST_GROWTH_MIB = 256;

const body = 'x'.repeat(65_536);

test.each([
  ['two hundred slow connections, held open or back again', 200, HALF_A_REQUEST],
  ['headers of 1 MB', 20, `${HALF_A_REQUEST}X: ${'x'.repeat(1_000_000)}\r\n\r\n`],
  [
    'a flood of POSTs',
    50,
    `POST /livez HTTP/1.1\r\nHost: pod\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ],
  ['2,600 pipelined requests from each of a hundred', 100, PIPELINED],
])(
  'with %s the loop refreshes on time, probes are answered within 100 ms, and memory is bounded',
  async (_what, count, said) => {
    const { start } = await openWorkload({ accessTokenLifetimeSeconds: 4 });
    const pgpassd = start(['run']);
    await pgpassd.waitFor('token.refreshed');
    const port = await portOf(pgpassd);
    const beforeMiB = await peakMiB(pgpassd);
    besiege(port, count, said);

    await pgpassd.waitFor(startedFor('due'));
    const mediansMs: number[] = [];
    for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
      mediansMs.push(await medianProbeMs({ port }));
      await pgpassd.waitFor(startedFor('due'));
      expect((await probe(port, '/readyz')).status).toBe(200);
    }
    expect(middleOf(mediansMs)).toBeLessThan(PROMPT_MS);
    expect(middleOf(latenessesMs(pgpassd.lines))).toBeLessThan(ON_TIME_MS);
    expect((await peakMiB(pgpassd)) - beforeMiB).toBeLessThan(MOST_GROWTH_MIB);
    expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
  },
);

/** Until the test has finished, `count` clients each say this on a new connection whenever their last one was closed. */
function besiege(port: number, count: number, said: string): void {
  const sockets = new Set<Socket>();
  let over = false;
  const come = () => {
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    socket.write(said);
    socket
      .resume()
      // A reset is one of the ways to be cut off.
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket);
        if (!over) come();
      });
  };
  for (let client = 0; client < count; client += 1) come();
  onTestFinished(() => {
    over = true;
    for (const socket of sockets) socket.destroy();
  });
}

/** The most memory that the process ever had resident. */
async function peakMiB({ pid }: Pgpassd): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
