import { expect, test } from 'vitest';
import { HALF_A_REQUEST, medianProbeMs } from '../observe/clients.ts';
import { latenessesMs, middleOf, portOf, probe } from './probing.ts';
import { besiege, MOST_GROWTH_MIB, peakMiB } from './siege.ts';
import { openWorkload, startedFor } from './workload.ts';

/** A quiet machine needs a tenth, and one with other work several times as much. */
const PROMPT_MS = 300;

/** A part of it is the log's rounding. */
const ON_TIME_MS = 500;

const REFRESHES = 3;

const PIPELINED = 'GET / HTTP/1.1\r\nHost:\r\n\r\n'.repeat(2_600);

test.each([
  ['two hundred slow connections, held open or back again', 200, HALF_A_REQUEST],
  ['2,600 pipelined requests from each of a hundred', 100, PIPELINED],
])(
  'with %s the loop refreshes on time, probes are answered within 300 ms, and memory is bounded',
  async (_what, count, said) => {
    const { start } = await openWorkload({ accessTokenLifetimeSeconds: 60 });
    // Due every 0.6 s.
    const pgpassd = start(['run', '--refresh-fraction', '0.01']);
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
