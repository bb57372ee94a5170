import type { Damage } from '../refresh/events.ts';
import { type DaemonState, isValid } from '../refresh/state.ts';
import type { Instant } from '../support/clock.ts';

/** What a look at the passfile on disk found: nothing wrong, what is, or nothing in time. */
export type OnDisk = 'ours' | Damage | 'unknown';

/** A probe's answer and the reason for it. */
export interface Verdict {
  readonly ok: boolean;
  readonly reason: string;
}

const ok = (reason: string): Verdict => ({ ok: true, reason });
const fail = (reason: string): Verdict => ({ ok: false, reason });

/** Whether a passfile with a valid token has been in place once since the start. */
export function startup(state: DaemonState): Verdict {
  return state.token === undefined
    ? fail('no valid token has been in place yet')
    : ok('a valid token has been in place');
}

/** Whether a client that connects now finds a valid token: ours, on disk, acceptable to libpq. */
export function readiness(state: DaemonState, onDisk: OnDisk, now: Instant): Verdict {
  const { token, trouble } = state;
  if (state.stopping) return fail('stopping');
  if (token === undefined) return fail('no valid token has been in place yet');
  if (!isValid(token, now)) return fail('the token in place has expired');
  if (onDisk !== 'ours') return fail(findings[onDisk]);
  return ok(
    trouble === undefined
      ? 'the passfile holds a valid token'
      : 'the passfile holds a valid token, but refreshing it fails',
  );
}

const findings: Readonly<Record<Exclude<OnDisk, 'ours'>, string>> = {
  missing: 'the passfile is missing',
  'not-a-file': 'the passfile is not a regular file',
  owner: 'the passfile belongs to somebody else',
  mode: 'the passfile has another mode',
  content: 'the passfile was changed',
  unknown: 'the passfile cannot be looked at: its volume does not answer',
};

/** Signs of life of the process. */
export interface Pulse {
  /** When the refresh loop turned last, on the monotonic clock. */
  readonly turnedAtMs: number;
  /** How long the loop said that it would take until its next turn. */
  readonly turnsWithinMs: number;
  /** How late the event loop came to a beat of the heart, lately. */
  readonly stallMs: number;
}

/** A loop that misses this many of its own deadlines in a row does not come back by itself. */
const MISSED_DEADLINES = 3;

/** Deadlines below this are too short to judge anybody by, on a busy machine. */
const SHORTEST_DEADLINE_MS = 30_000;

/** An event loop that stands still for longer serves nobody. */
export const STALL_LIMIT_MS = 10_000;

/** One can fail while other programs of the pod start; so many in a row do not pass by themselves. */
const FAILED_STARTS = 3;

/**
 * Whether the process should live on. Faults of the world are none of its business: a restart does
 * not mend Entra, and loses nothing but time.
 */
export function liveness({ trouble }: DaemonState, pulse: Pulse, now: Instant): Verdict {
  if (pulse.stallMs > STALL_LIMIT_MS) {
    return fail(`the event loop stood still for ${Math.round(pulse.stallMs / 1000)} s`);
  }
  // By the monotonic clock alone: a step of the wall clock is no reason for a restart.
  const sinceTurnMs = now.monotonicMs - pulse.turnedAtMs;
  const deadlineMs = Math.max(pulse.turnsWithinMs, SHORTEST_DEADLINE_MS);
  if (sinceTurnMs > MISSED_DEADLINES * deadlineMs) {
    return fail(`the refresh loop has not turned for ${Math.round(sinceTurnMs / 1000)} s`);
  }
  if (trouble !== undefined && trouble.failedStarts >= FAILED_STARTS) {
    const { systemCode } = trouble.error.details;
    return fail(
      `no process could be started for the token command ${trouble.failedStarts} times in a row (${systemCode})`,
    );
  }
  return ok('the refresh loop is turning');
}
