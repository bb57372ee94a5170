import { type DaemonState, type Damage, isValid } from '../refresh/events.ts';
import type { Clock, Instant } from '../support/clock.ts';
import { isoTime } from './event-logger.ts';
import type { Answer, Views } from './http-server.ts';

export interface ProbeParts {
  readonly clock: Clock;
  readonly state: () => DaemonState;
  readonly pulse: () => Pulse;
  /** What is wrong with the passfile on disk. */
  readonly look: () => Promise<Damage | undefined>;
}

/** The answers of the probes: 200 or 503, with the reason as JSON. */
export function createProbes({ clock, state, pulse, look }: ProbeParts): Views {
  const answer = (result: ProbeResult): Answer => ({
    status: result.ok ? 200 : 503,
    contentType: 'application/json',
    body: `${JSON.stringify(bodyOf(result, state()))}\n`,
  });
  const lookAtDisk = coalesce(clock, look);
  return new Map([
    ['/startupz', async () => answer(startup(state()))],
    [
      '/readyz',
      async () => {
        // The disk first: that takes a while, in which the state may change.
        const onDisk = await lookAtDisk();
        return answer(readiness(state(), onDisk, clock.now()));
      },
    ],
    ['/livez', async () => answer(liveness(state(), pulse(), clock.now()))],
  ]);
}

/** Kubelet gives a probe one second by default. */
const LONGEST_LOOK_MS = 500;

/** At most one look at the disk is under way, however many probes come and however long it takes. */
function coalesce(clock: Clock, look: ProbeParts['look']): () => Promise<OnDisk> {
  let underWay: Promise<OnDisk> | undefined;
  const lookOnce = async (): Promise<OnDisk> => {
    try {
      return (await look()) ?? 'ours';
    } catch {
      return 'unknown';
    } finally {
      underWay = undefined;
    }
  };
  return async () => {
    underWay ??= lookOnce();
    const done = new AbortController();
    const tooLong = clock.sleep(LONGEST_LOOK_MS, done.signal).then((): OnDisk => 'unknown');
    const found = await Promise.race([underWay, tooLong]);
    done.abort();
    return found;
  };
}

function bodyOf({ ok, reason }: ProbeResult, { token, failure }: DaemonState) {
  return {
    status: ok ? 'ok' : 'fail',
    reason,
    ...(token && { tokenExpiresAt: isoTime(token.expiresAtMs) }),
    ...(failure && {
      lastError: {
        code: failure.error.code,
        message: failure.error.message,
        remedy: failure.error.remedy,
        ...failure.error.details,
        at: isoTime(failure.atMs),
        failures: failure.failures,
      },
    }),
  };
}

/** The result of a look at the passfile on disk: as written, damaged, or no result in time. */
export type OnDisk = 'ours' | Damage | 'unknown';

/** A probe's result and the reason for it. */
interface ProbeResult {
  readonly ok: boolean;
  readonly reason: string;
}

const ok = (reason: string): ProbeResult => ({ ok: true, reason });
const fail = (reason: string): ProbeResult => ({ ok: false, reason });

const NO_TOKEN_YET = 'the passfile has not held a valid token yet';

/** Whether the passfile has held a valid token at any time since the start. */
export function startup({ token }: DaemonState): ProbeResult {
  return token === undefined ? fail(NO_TOKEN_YET) : ok('the passfile has held a valid token');
}

/** Whether a client that connects now finds a valid token: ours, on disk, acceptable to libpq. */
export function readiness(state: DaemonState, onDisk: OnDisk, now: Instant): ProbeResult {
  const { token, failure, stopping } = state;
  if (stopping) return fail('stopping');
  if (token === undefined) return fail(NO_TOKEN_YET);
  if (!isValid(token, now)) return fail('the token in the passfile has expired');
  if (onDisk !== 'ours') return fail(damages[onDisk]);
  return ok(
    failure === undefined
      ? 'the passfile holds a valid token'
      : 'the passfile holds a valid token, but refreshing it fails',
  );
}

const damages: Readonly<Record<Exclude<OnDisk, 'ours'>, string>> = {
  missing: 'the passfile is missing',
  'not-a-file': 'the passfile is not a regular file',
  owner: 'the passfile belongs to another user',
  mode: 'the passfile has the wrong mode',
  content: 'the passfile was changed',
  unknown: 'the passfile cannot be checked: its volume does not respond',
};

/** The process's signs of life. */
export interface Pulse {
  /** When the refresh loop last turned, on the monotonic clock. */
  readonly turnedAtMs: number;
  /** Within what time the loop announced its next turn. */
  readonly turnsWithinMs: number;
  /** For how long the event loop was blocked recently. */
  readonly stallMs: number;
}

/** A loop that misses this many of its own deadlines in a row does not recover by itself. */
const MISSED_DEADLINES = 3;

/** On a busy machine, even a healthy loop misses shorter deadlines than this. */
const SHORTEST_DEADLINE_MS = 30_000;

/** An event loop that is blocked for longer answers no client. */
export const STALL_LIMIT_MS = 10_000;

/** A start can fail while other programs of the pod start; so many in a row do not resolve by themselves. */
const FAILED_STARTS = 3;

/**
 * Whether the process should live on. Outside failures do not count: a restart does not repair Entra,
 * and costs time.
 */
export function liveness({ failure }: DaemonState, pulse: Pulse, now: Instant): ProbeResult {
  if (pulse.stallMs > STALL_LIMIT_MS) {
    return fail(`the event loop was blocked for ${Math.round(pulse.stallMs / 1000)} s`);
  }
  // By the monotonic clock alone: a step of the wall clock is no reason for a restart.
  const sinceTurnMs = now.monotonicMs - pulse.turnedAtMs;
  const deadlineMs = Math.max(pulse.turnsWithinMs, SHORTEST_DEADLINE_MS);
  if (sinceTurnMs > MISSED_DEADLINES * deadlineMs) {
    return fail(`the refresh loop has made no progress for ${Math.round(sinceTurnMs / 1000)} s`);
  }
  if (failure !== undefined && failure.failedStarts >= FAILED_STARTS) {
    const { systemCode } = failure.error.details;
    return fail(
      `no process could be started for the token command ${failure.failedStarts} times in a row (${systemCode})`,
    );
  }
  return ok('the refresh loop is running');
}

const BEAT_MS = 1_000;

/** A probe comes every 10 s by default, so each stall is reported to one of them. */
const MEMORY_MS = 10_000;

/** Measures how long the event loop was blocked, by how late its own beat is. */
export class Heartbeat {
  readonly #clock: Clock;
  #beatAtMs: number;
  #last: { readonly stallMs: number; readonly endedAtMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beatAtMs = clock.now().monotonicMs;
  }

  /** The longest stall that lasts or ended recently; 0 if there was none. */
  get stallMs(): number {
    const nowMs = this.#clock.now().monotonicMs;
    return Math.max(this.#latenessMs(nowMs), this.#rememberedMs(nowMs));
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#beatAtMs = this.#clock.now().monotonicMs;
      await this.#clock.sleep(BEAT_MS, signal);
      const endedAtMs = this.#clock.now().monotonicMs;
      const stallMs = this.#latenessMs(endedAtMs);
      if (stallMs > this.#rememberedMs(endedAtMs)) this.#last = { stallMs, endedAtMs };
    }
  }

  #latenessMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#beatAtMs - BEAT_MS);
  }

  #rememberedMs(nowMs: number): number {
    const { stallMs, endedAtMs } = this.#last ?? { stallMs: 0, endedAtMs: 0 };
    return nowMs - endedAtMs <= MEMORY_MS ? stallMs : 0;
  }
}
