import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Pgpassd } from '../support/pgpassd-process.ts';

/** Node.js itself has no handler for SIGHUP, the first of signals; ours comes after those that end us. */
export async function untilItHasHandlers({ pid }: Pgpassd): Promise<void> {
  for (;;) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    if (/^SigCgt:\t[0-9a-f]*[13579bdf]$/m.test(status)) return;
    await setImmediate();
  }
}
