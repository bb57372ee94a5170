import type { Environment } from '../config/option.ts';
import type { PassfileRefresher } from '../refresh/create-refresher.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import type { FetchToken } from '../refresh/refresher.ts';
import type { Clock } from '../support/clock.ts';
import type { PgpassdError } from '../support/errors.ts';
import type { JwtClaims } from '../support/jwt.ts';
import type { KnownSecrets } from '../support/secret.ts';

/** Where the daemon's tokens come from, and what runs with it. */
export interface OpenedSource {
  readonly fetch: FetchToken;
  /** Why a token with these claims is not one that the settings ask for; `undefined` when it is. */
  readonly objectionTo: (claims: JwtClaims) => PgpassdError | undefined;
  /** Runs beside the refresher until `signal` aborts. */
  run(refresher: PassfileRefresher, signal: AbortSignal): Promise<void>;
}

export interface SourceContext {
  readonly requestTimeoutMs: number;
  readonly env: Environment;
  readonly clock: Clock;
  readonly onEvent: (event: RefreshEvent) => void;
  /** What texts from outside are redacted with; the source adds the tokens it receives. */
  readonly secrets: KnownSecrets;
}

/** What `ask` resolves with, and an event once there is an answer, or none in time. */
export async function timed<T>(
  { clock, onEvent }: Pick<SourceContext, 'clock' | 'onEvent'>,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  // By the monotonic clock alone: a step of the wall clock does not make an answer slow.
  const askedAtMs = clock.now().monotonicMs;
  const ended = (succeeded: boolean) => {
    if (signal.aborted) return;
    onEvent({ type: 'exchange.ended', succeeded, tookMs: clock.now().monotonicMs - askedAtMs });
  };
  try {
    const answer = await ask();
    ended(true);
    return answer;
  } catch (error) {
    ended(false);
    throw error;
  }
}
