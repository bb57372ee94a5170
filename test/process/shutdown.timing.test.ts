import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask, connectRaw } from '../observe/clients.ts';
import { canMountDeadVolume, mountDeadVolume } from '../support/dead-volume.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { untilItHasHandlers } from './handlers.ts';
import { openStallingReader } from './stalling-reader.ts';
import { openWorkload } from './workload.ts';

/** The interface promises a second, and what it is to outlast never ends. A busy machine gets two more. */
const LONGEST_STOP_MS = 3_000;

async function stop(pgpassd: Pgpassd) {
  const sentAt = performance.now();
  pgpassd.signal('SIGTERM');
  const exit = await pgpassd.exited;
  expect(performance.now() - sentAt, pgpassd.output()).toBeLessThan(LONGEST_STOP_MS);
  return exit;
}

describe('SIGTERM ends within a second', () => {
  test('run, though a client dawdles, and the reader of the log stalls as well', async () => {
    const { directory, start } = await openWorkload();
    const reader = await openStallingReader(join(directory, 'log'));
    const pgpassd = start(['run'], { under: reader.under });
    const [, port] = /"httpPort":(\d+)/.exec(await reader.firstLine()) ?? [];
    const served = { port: Number(port) };
    const clients = await Promise.all(
      ['/livez', '/readyz', '/metrics'].map((path) =>
        connectRaw(served, `GET ${path} HTTP/1.1\r\nHost: pod\r\n`),
      ),
    );
    // By the time that this is answered, those were read.
    await ask(served);
    await reader.stall();
    pgpassd.signal('SIGHUP');
    expect(await stop(pgpassd)).toEqual({ code: 0, signal: null });
    expect(clients).toHaveLength(3);
  });

  test.skipIf(!canMountDeadVolume())(
    'once, though the volume does not answer and the reader of the log stalls (needs to mount with FUSE)',
    async () => {
      const { directory, start } = await openWorkload();
      const volume = join(directory, 'volume');
      await mkdir(volume);
      onTestFinished(await mountDeadVolume(volume));
      const reader = await openStallingReader(join(directory, 'log'));
      await reader.stall();
      const pgpassd = start(['once'], {
        under: reader.under,
        env: { PGPASSFILE: join(volume, 'pgpass') },
      });
      await untilItHasHandlers(pgpassd);
      expect(await stop(pgpassd)).toEqual({ code: 143, signal: null });
    },
  );
});
