import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { HALF_A_REQUEST, medianProbeMs } from '../observe/clients.ts';
import type { LogLine } from '../support/pgpassd-process.ts';
import { portOf, probe } from './probing.ts';
import { openWorkload, startedFor } from './workload.ts';

const PROMPT_MS = 100;

/** Half of it is the log's rounding, and what the machine has to do besides. */
const ON_TIME_MS = 200;

const REFRESHES = 3;

const body = 'x'.repeat(65_536);

test.each([
  ['two hundred slow connections, held open or back again', 200, HALF_A_REQUEST],
  ['headers of 1 MB', 20, `${HALF_A_REQUEST}X: ${'x'.repeat(1_000_000)}\r\n\r\n`],
  [
    'a flood of POSTs',
    50,
    `POST /livez HTTP/1.1\r\nHost: pod\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ],
])(
  'with %s the loop refreshes on time, and probes are answered within 100 ms',
  async (_what, count, said) => {
    const { start } = await openWorkload({ accessTokenLifetimeSeconds: 4 });
    const pgpassd = start(['run']);
    await pgpassd.waitFor('token.refreshed');
    const port = await portOf(pgpassd);
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

/** How long after its time each refresh began. */
function latenessesMs(lines: readonly LogLine[]): number[] {
  return lines.flatMap((refreshed, at) => {
    const begun = lines.slice(at).find(startedFor('due'));
    if (refreshed.event !== 'token.refreshed' || begun === undefined) return [];
    const dueAtMs = Date.parse(refreshed.time) + Number(refreshed['nextRefreshInSeconds']) * 1000;
    return [Date.parse(begun.time) - dueAtMs];
  });
}

function middleOf(numbers: readonly number[]): number {
  const ordered = numbers.toSorted((one, other) => one - other);
  return ordered[Math.floor(ordered.length / 2)] ?? Number.NaN;
}
