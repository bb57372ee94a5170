import type { PgpassdError } from '../support/errors.ts';
import { asPgpassdError } from '../support/failure.ts';
import { FileWatcher, type FileWatcherOptions } from '../support/file-watcher.ts';
import type { AdoptedToken } from './adopt.ts';
import { Fight } from './fight.ts';
import type { Passfile, Repair } from './passfile.ts';

export interface GuardOptions extends Omit<FileWatcherOptions, 'check'> {
  readonly passfile: Pick<Passfile, 'repair'>;
  /** Told with the number of repairs since the start. */
  readonly onRepaired: (repair: Repair, repairs: number) => void;
  /** A token in place lasts longer than ours, and is ours from now on. */
  readonly onOvertaken: (newer: AdoptedToken) => void;
  /** Somebody keeps changing the passfile; repairs are slowed down from now on. Called once a fight. */
  readonly onContested: (repairsInAMinute: number) => void;
  /** Tried again at the next change or poll; called once for each failure that differs from the last. */
  readonly onRepairFailed: (error: PgpassdError) => void;
}

/** Looks after the passfile between refreshes: whatever happens to it, it is put back. */
export function createGuard(options: GuardOptions): FileWatcher {
  const { clock, passfile } = options;
  const fight = new Fight();
  const nowMs = () => clock.now().monotonicMs;
  let repairs = 0;
  let lastFailure: string | undefined;

  const repaired = (repair: Repair) => {
    repairs += 1;
    options.onRepaired(repair, repairs);
    const contested = fight.noteRepair(nowMs());
    if (contested !== undefined) options.onContested(contested);
  };

  return new FileWatcher({
    ...options,
    async check(signal) {
      const truceMs = fight.truceMs(nowMs());
      if (truceMs > 0) await clock.sleep(truceMs, signal);
      try {
        const repair = await passfile.repair();
        lastFailure = undefined;
        if (repair !== undefined && 'newer' in repair) options.onOvertaken(repair.newer);
        else if (repair !== undefined) repaired(repair);
      } catch (thrown) {
        const error = asPgpassdError(thrown);
        if (error.message !== lastFailure) options.onRepairFailed(error);
        lastFailure = error.message;
      }
    },
  });
}
