import { readFile } from 'node:fs/promises';
import { lookUntil } from '../support/look-until.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';

/** Node.js itself has no handler for SIGHUP, the first of signals; ours comes after those that end us. */
export function untilItHasHandlers({ pid }: Pgpassd): Promise<void> {
  return lookUntil(async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return /^SigCgt:\t[0-9a-f]*[13579bdf]$/m.test(status);
  });
}
