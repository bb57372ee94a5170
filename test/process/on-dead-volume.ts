import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { OnTestFinished } from '../support/clean-up.ts';
import { mountDeadVolume } from '../support/dead-volume.ts';
import { lookUntil } from '../support/look-until.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { openWorkload } from './workload.ts';

export async function openWorkloadOnDeadVolume(finished: OnTestFinished = onTestFinished) {
  const workload = await openWorkload({ onTestFinished: finished });
  const volume = join(workload.directory, 'volume');
  await mkdir(volume);
  finished(await mountDeadVolume(volume));
  const passfile = join(volume, 'pgpass');
  return {
    passfile,
    start: (args: readonly string[]) => workload.start(args, { env: { PGPASSFILE: passfile } }),
  };
}

/** The file system knows which of the threads wait for it. */
export function untilItHangs({ pid }: Pgpassd): Promise<void> {
  return lookUntil(async () => {
    const threads = await readdir(`/proc/${pid}/task`);
    const waits = await Promise.all(
      // A thread may end between the two looks.
      threads.map((id) => readFile(`/proc/${pid}/task/${id}/wchan`, 'utf8').catch(() => '')),
    );
    return waits.some((what) => what.startsWith('fuse_'));
  });
}
