import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask } from '../observe/clients.ts';
import { canLimitMemory, openMemoryCgroup } from '../support/memory-cgroup.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { asInTheImage, openFlood } from './flooding.ts';
import { latenessesMs, middleOf, portOf, probe } from './probing.ts';
import { openWorkload, startedFor } from './workload.ts';

const REFRESHES = 2;
/** From one refresh to the next, or more where there is time for more. */
const PROBES = 5;

/** A quiet machine needs a tenth, and one with other work several times as much. */
const MEDIAN_MS = 3_000;
const WORST_MS = 9_000;
const ON_TIME_MS = 3_000;

/** The slowest to be answered of each sort of work; flood.integration.test.ts has the other kinds. */
const kinds = [
  // An answer for each connection, and a look at the disk.
  'readiness and metrics',
  // The most to parse.
  'thousands of headers',
  // The most to read, and cut off at once.
  'no HTTP',
  // The most events.
  'byte by byte',
];

describe.skipIf(!canLimitMemory())('flooded (needs to limit memory by a cgroup)', () => {
  test.each(kinds)(
    'by clients of the kind "%s" it answers in time, and refreshes on time',
    async (kind) => {
      const cgroup = openMemoryCgroup(asInTheImage.limitMiB);
      onTestFinished(() => cgroup.remove());
      // Due every 0.6 s, and valid long enough for a busy machine.
      const { start } = await openWorkload({ accessTokenLifetimeSeconds: 60 });
      const pgpassd = start(['run', '--refresh-fraction', '0.01'], {
        under: cgroup.enter,
        env: asInTheImage.env,
      });
      await pgpassd.waitFor('token.refreshed');
      const port = await portOf(pgpassd);
      const flood = await openFlood(pgpassd, 0, onTestFinished);
      await flood(kind);

      await pgpassd.waitFor(startedFor('due'));
      const tookMs: number[] = [];
      for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
        tookMs.push(...(await probeUntilDue(port, pgpassd)));
        expect((await probe(port, '/readyz')).status).toBe(200);
      }
      expect(cgroup.kills()).toBe(0);
      expect(middleOf(tookMs)).toBeLessThan(MEDIAN_MS);
      expect(Math.max(...tookMs)).toBeLessThan(WORST_MS);
      expect(middleOf(latenessesMs(pgpassd.lines))).toBeLessThan(ON_TIME_MS);
      expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
    },
  );
});

/** Asks one time after the other until the next refresh begins. Resolves with how long each took. */
async function probeUntilDue(port: number, pgpassd: Pgpassd): Promise<number[]> {
  const tookMs: number[] = [];
  let isDue = false;
  const due = pgpassd.waitFor(startedFor('due')).then(() => {
    isDue = true;
  });
  // Where a probe fails first, that is what is told.
  due.catch(() => undefined);
  while (!isDue || tookMs.length < PROBES) {
    const sinceMs = performance.now();
    expect((await ask({ port })).status).toBe(200);
    tookMs.push(performance.now() - sinceMs);
    // Kubelet does not ask without pause either.
    await Promise.race([due, sleep(20)]);
  }
  return tookMs;
}
