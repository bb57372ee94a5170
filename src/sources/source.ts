import type { Environment } from '../config/option.ts';
import type { PassfileRefresher } from '../refresh/create-refresher.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import type { FetchToken } from '../refresh/refresher.ts';
import type { Clock } from '../support/clock.ts';
import type { PgpassdError } from '../support/errors.ts';
import type { JwtClaims } from '../support/jwt.ts';
import type { KnownSecrets } from '../support/secret.ts';

/** Where the daemon's tokens come from, and what belongs to that. */
export interface OpenedSource {
  readonly fetch: FetchToken;
  /** Why a token with these claims is none that the settings ask for; `undefined` when it is one. */
  readonly objectionTo: (claims: JwtClaims) => PgpassdError | undefined;
  /** Runs beside the refresher until `signal` aborts. */
  run(refresher: PassfileRefresher, signal: AbortSignal): Promise<void>;
}

export interface SourceContext {
  readonly requestTimeoutMs: number;
  readonly env: Environment;
  readonly clock: Clock;
  readonly onEvent: (event: RefreshEvent) => void;
  /** What texts from outside are cleared of; the source adds the tokens it meets. */
  readonly secrets: KnownSecrets;
}
