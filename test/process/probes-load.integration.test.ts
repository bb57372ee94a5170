import { expect, test } from 'vitest';
import { ask, HALF_A_REQUEST } from '../observe/clients.ts';
import { expectReady, portOf, refreshFromNow } from './probing.ts';
import { besiege, MOST_GROWTH_MIB, peakMiB } from './siege.ts';
import { openWorkload } from './workload.ts';

const REFRESHES = 2;

const body = 'x'.repeat(65_536);

test.each([
  ['headers of 1 MB', 20, `${HALF_A_REQUEST}X: ${'x'.repeat(1_000_000)}\r\n\r\n`],
  [
    'a flood of POSTs',
    50,
    `POST /livez HTTP/1.1\r\nHost: pod\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ],
])(
  'with %s the loop refreshes, probes are answered, and memory is bounded',
  async (_what, count, said) => {
    // Due about every 0.6 s, and valid long enough for a busy machine; so is the time for a request.
    const { start } = await openWorkload({ accessTokenLifetimeSeconds: 600 });
    const pgpassd = start(['run', '--refresh-fraction', '0.001', '--request-timeout', '100s']);
    await pgpassd.waitFor('token.refreshed');
    const port = await portOf(pgpassd);
    const beforeMiB = await peakMiB(pgpassd);
    besiege(port, count, said);

    for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
      expect((await ask({ port })).status).toBe(200);
      await refreshFromNow(pgpassd);
      await expectReady(port);
    }
    expect((await peakMiB(pgpassd)) - beforeMiB).toBeLessThan(MOST_GROWTH_MIB);
    expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
  },
);
