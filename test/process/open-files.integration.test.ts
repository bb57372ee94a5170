import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ask, connectRaw, HALF_A_REQUEST, type RawClient } from '../observe/clients.ts';
import { portOf, probe, refreshFromNow } from './probing.ts';
import { openWorkload } from './workload.ts';

const REFRESHES = 2;

/** Runs the command after it with no more than this many open files. */
const withOpenFiles = (limit: number) => ['/bin/sh', '-c', `ulimit -n ${limit} && exec "$@"`, 'sh'];

test.each([
  ['say nothing', 512, ''],
  ['stop in a request', 512, HALF_A_REQUEST],
  ['send blank lines', 256, '\r\n\r\n'],
  ['stop in a method', 128, 'G'],
])(
  'while clients that %s hold connections, a limit of %i open files is enough to refresh',
  async (_what, limit, said) => {
    // Due about every second, and valid long enough for a busy machine.
    const { start } = await openWorkload({ accessTokenLifetimeSeconds: 100 });
    const pgpassd = start(['run', '--refresh-fraction', '0.01'], { under: withOpenFiles(limit) });
    await pgpassd.waitFor('token.refreshed');
    const port = await portOf(pgpassd);
    const filesBefore = await openFiles(pgpassd.pid);
    const clients: RawClient[] = [];
    // One after the other, lest the system's queue of 511 run over.
    while (clients.length < limit) clients.push(await connectRaw({ port }, said));

    for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
      await refreshFromNow(pgpassd);
      expect((await ask({ port })).status).toBe(200);
      expect((await probe(port, '/readyz')).status).toBe(200);
      expect((await openFiles(pgpassd.pid)) - filesBefore).toBeLessThan(limit / 2);
    }
    expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
  },
);

async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
