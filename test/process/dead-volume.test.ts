import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { canMountDeadVolume, mountDeadVolume } from '../support/dead-volume.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { openWorkload, sentencesOf } from './workload.ts';

async function openWorkloadOnDeadVolume() {
  const workload = await openWorkload();
  const volume = join(workload.directory, 'volume');
  await mkdir(volume);
  onTestFinished(await mountDeadVolume(volume));
  const passfile = join(volume, 'pgpass');
  return {
    passfile,
    start: (args: readonly string[]) => workload.start(args, { env: { PGPASSFILE: passfile } }),
  };
}

/** The file system knows which of the threads wait for it. */
async function untilItHangs({ pid }: Pgpassd): Promise<void> {
  for (;;) {
    const threads = await readdir(`/proc/${pid}/task`);
    const waits = await Promise.all(
      // A thread may end between the two looks.
      threads.map((id) => readFile(`/proc/${pid}/task/${id}/wchan`, 'utf8').catch(() => '')),
    );
    if (waits.some((what) => what.startsWith('fuse_'))) return;
    await setImmediate();
  }
}

describe.skipIf(!canMountDeadVolume())(
  'on a volume that does not answer (needs to mount with FUSE)',
  () => {
    test('run ends within a second of SIGTERM', async () => {
      const { start } = await openWorkloadOnDeadVolume();
      const pgpassd = start(['run']);
      await untilItHangs(pgpassd);
      pgpassd.signal('SIGTERM');
      const askedAt = performance.now();
      expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
      expect(performance.now() - askedAt).toBeLessThan(1_000);
      expect(pgpassd.errors()).toBe('');
    });

    test('once ends with 6 after --timeout, and names the volume', async () => {
      const { passfile, start } = await openWorkloadOnDeadVolume();
      const pgpassd = start(['once', '--timeout', '1s']);
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 6, signal: null });
      expect(sentencesOf(pgpassd.errors())[0]).toBe(
        `the passfile ${passfile} cannot be written: its volume does not answer`,
      );
    });

    test('wait ends with 7 after --timeout, and names the volume', async () => {
      const { passfile, start } = await openWorkloadOnDeadVolume();
      const pgpassd = start(['wait', '--timeout', '1s', '--', 'echo', 'followed']);
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 7, signal: null });
      expect(sentencesOf(pgpassd.errors())[0]).toBe(
        `the passfile ${passfile} cannot be looked at: its volume does not answer`,
      );
      expect(pgpassd.output()).not.toContain('followed');
    });

    test('SIGTERM ends once, wait and check with 143', async () => {
      const { start } = await openWorkloadOnDeadVolume();
      for (const command of ['once', 'wait', 'check']) {
        const pgpassd = start([command]);
        await untilItHangs(pgpassd);
        pgpassd.signal('SIGTERM');
        expect(await pgpassd.exited).toEqual({ code: 143, signal: null });
        expect(pgpassd.errors()).toBe('');
      }
    });

    test('check names it, and nothing else', async () => {
      const { start } = await openWorkloadOnDeadVolume();
      const pgpassd = start(['check', '--request-timeout', '1s']);
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 7, signal: null });
      expect(pgpassd.output()).toMatch(/its\s+volume\s+does\s+not\s+answer/);
      expect(pgpassd.output().match(/[✓✗]/g)).toEqual(['✗']);
    });
  },
);
