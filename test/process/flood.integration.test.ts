import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../observe/clients.ts';
import { canLimitMemory, type MemoryCgroup, openMemoryCgroup } from '../support/memory-cgroup.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { asInTheImage, asItComes, type Flood, openFlood } from './flooding.ts';
import { expectReady, portOf, refreshFromNow } from './probing.ts';
import { openWorkload } from './workload.ts';

const PROBES = 3;

/** All come at once first, and are too many later; flood.timing.test.ts has four more, that never pause. */
const PAUSE_MS = 300;

const cases = [
  {
    ...asInTheImage,
    how: 'as in the image',
    kinds: [
      'pipelined',
      'pipelined without end',
      'silent',
      'half a request',
      'half-closed',
      'half-closed in a head',
      'never reading',
      'header of 1 MB',
      'body of 1 MB',
      'body in chunks',
      'blank lines',
    ],
  },
  {
    ...asItComes,
    how: 'as it comes',
    kinds: ['pipelined', 'byte by byte', 'half-closed', 'never reading', 'readiness and metrics'],
  },
];

describe.skipIf(!canLimitMemory())('flooded (needs to limit memory by a cgroup)', () => {
  describe.each(cases)('$how, in $limitMiB MiB', ({ limitMiB, env, kinds }) => {
    const cleanUps: (() => Promise<void>)[] = [];
    const onFinished = (cleanUp: () => Promise<void>) => void cleanUps.push(cleanUp);
    let cgroup: MemoryCgroup;
    let pgpassd: Pgpassd;
    let port = 0;
    let flood: Flood;

    // One process for all kinds, as none of them may leave anything behind in it.
    beforeAll(async () => {
      cgroup = openMemoryCgroup(limitMiB);
      onFinished(() => cgroup.remove());
      // Due about every 0.2 s, and valid long enough for a busy machine; so is the time for a request.
      const { start } = await openWorkload({
        accessTokenLifetimeSeconds: 600,
        onTestFinished: onFinished,
      });
      const args = ['run', '--refresh-fraction', '0.0003', '--request-timeout', '100s'];
      pgpassd = start(args, { under: cgroup.enter, env });
      await pgpassd.waitFor('token.refreshed');
      port = await portOf(pgpassd);
      flood = await openFlood(pgpassd, PAUSE_MS, onFinished);
    });
    afterAll(async () => {
      for (const cleanUp of cleanUps.reverse()) await cleanUp();
    });

    test.each(kinds)(
      'by clients of the kind "%s" it lives, answers, and refreshes',
      async (kind) => {
        expect(cgroup.kills(), 'of an earlier kind').toBe(0);
        await flood(kind);
        await Promise.all([refreshFromNow(pgpassd), probeTimes(PROBES, port)]);
        await expectReady(port);
        expect(cgroup.kills()).toBe(0);
        expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
      },
    );
  });
});

async function probeTimes(times: number, port: number): Promise<void> {
  for (let asked = 0; asked < times; asked += 1) expect((await ask({ port })).status).toBe(200);
}
