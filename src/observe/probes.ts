import type { Damage } from '../refresh/events.ts';
import type { DaemonState } from '../refresh/state.ts';
import type { Clock } from '../support/clock.ts';
import { liveness, type OnDisk, type Pulse, readiness, startup, type Verdict } from './health.ts';
import type { Answer, Views } from './http-server.ts';

export interface ProbeParts {
  readonly clock: Clock;
  readonly state: () => DaemonState;
  readonly pulse: () => Pulse;
  /** What is wrong with the passfile on disk. */
  readonly look: () => Promise<Damage | undefined>;
}

/** Kubelet gives a probe a second by default. */
const LONGEST_LOOK_MS = 500;

/** What the probes' paths answer: 200 or 503, and why as JSON. */
export function createProbes({ clock, state, pulse, look }: ProbeParts): Views {
  const answer = (verdict: Verdict): Answer => ({
    status: verdict.ok ? 200 : 503,
    contentType: 'application/json',
    body: `${JSON.stringify(bodyOf(verdict, state()))}\n`,
  });
  const lookAtDisk = shareLook(clock, look);
  return new Map([
    ['/startupz', async () => answer(startup(state()))],
    [
      '/readyz',
      async () => {
        // First the disk: that takes a while, in which the state may change.
        const onDisk = await lookAtDisk();
        return answer(readiness(state(), onDisk, clock.now()));
      },
    ],
    ['/livez', async () => answer(liveness(state(), pulse(), clock.now()))],
  ]);
}

/** However many ask, and however long it takes: the disk is looked at once at a time. */
function shareLook(clock: Clock, look: ProbeParts['look']): () => Promise<OnDisk> {
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

function bodyOf({ ok, reason }: Verdict, { token, trouble }: DaemonState) {
  return {
    status: ok ? 'ok' : 'fail',
    reason,
    ...(token && { tokenExpiresAt: iso(token.expiresAtMs) }),
    ...(trouble && {
      lastError: {
        code: trouble.error.code,
        message: trouble.error.message,
        remedy: trouble.error.remedy,
        ...trouble.error.details,
        at: iso(trouble.atMs),
        failures: trouble.failures,
      },
    }),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
