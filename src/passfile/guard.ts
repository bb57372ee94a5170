import { asPgpassdError, type PgpassdError, systemErrorCode } from '../support/errors.ts';
import { FileWatcher, type FileWatcherOptions } from '../support/file-watcher.ts';
import type { AdoptedToken } from './layout.ts';
import type { Passfile, Repair } from './passfile.ts';

export interface GuardOptions extends Omit<FileWatcherOptions, 'check'> {
  readonly passfile: Pick<Passfile, 'repair'>;
  /** `repairs` counts from the start of the guard. */
  readonly onRepaired: (repair: Repair, repairs: number) => void;
  /** The token in place lasts longer than ours, and was taken over. */
  readonly onSuperseded: (newer: AdoptedToken) => void;
  /** Another program keeps changing the passfile, so repairs are slowed down. Called once until that is over. */
  readonly onContested: (repairsInAMinute: number) => void;
  /** The repair is tried again at the next change or poll. Called once per failure that differs from the last. */
  readonly onRepairFailed: (error: PgpassdError) => void;
}

/** Watches the passfile between refreshes, and restores it after every change. */
export function createGuard(options: GuardOptions): FileWatcher {
  const { clock, passfile } = options;
  const throttle = new RepairThrottle();
  const nowMs = () => clock.now().monotonicMs;
  let repairs = 0;
  let lastFailure: PgpassdError | undefined;

  const repaired = (repair: Repair) => {
    repairs += 1;
    options.onRepaired(repair, repairs);
    const contested = throttle.recordRepair(nowMs());
    if (contested !== undefined) options.onContested(contested);
  };

  return new FileWatcher({
    ...options,
    async check(signal) {
      const delayMs = throttle.delayMs(nowMs());
      if (delayMs > 0) await clock.sleep(delayMs, signal);
      try {
        const repair = await passfile.repair();
        lastFailure = undefined;
        if (repair !== undefined && 'newer' in repair) options.onSuperseded(repair.newer);
        else if (repair !== undefined) repaired(repair);
      } catch (thrown) {
        const error = asPgpassdError(thrown);
        if (!isSameFailure(error, lastFailure)) options.onRepairFailed(error);
        lastFailure = error;
      }
    },
  });
}

/** Whether both are of one kind, from the same code of the system. */
function isSameFailure(one: PgpassdError, other: PgpassdError | undefined): boolean {
  if (other === undefined) return false;
  const sameKind = one.code === other.code && one.failureId === other.failureId;
  return sameKind && systemErrorCode(one.cause) === systemErrorCode(other.cause);
}

/** More repairs than this within the window mean that another program keeps changing the passfile. */
const UNTHROTTLED_REPAIRS = 5;
const WINDOW_MS = 60_000;

/** The time between two repairs while another program keeps changing the passfile. */
const THROTTLED_INTERVAL_MS = 10_000;

/** Slows repairs down while another program keeps undoing them. All times are of one monotonic clock. */
export class RepairThrottle {
  #repairsAtMs: number[] = [];
  #throttled = false;

  /** How long to wait before the next repair. */
  delayMs(nowMs: number): number {
    this.#forget(nowMs);
    const lastMs = this.#repairsAtMs.at(-1);
    if (!this.#throttled || lastMs === undefined) return 0;
    return Math.max(0, lastMs + THROTTLED_INTERVAL_MS - nowMs);
  }

  /** Returns the number of repairs in the last minute when throttling starts with this one. */
  recordRepair(nowMs: number): number | undefined {
    this.#forget(nowMs);
    this.#repairsAtMs.push(nowMs);
    const repairs = this.#repairsAtMs.length;
    if (this.#throttled || repairs <= UNTHROTTLED_REPAIRS) return undefined;
    this.#throttled = true;
    return repairs;
  }

  #forget(nowMs: number): void {
    this.#repairsAtMs = this.#repairsAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
    if (this.#repairsAtMs.length < UNTHROTTLED_REPAIRS) this.#throttled = false;
  }
}
