import type { Environment } from '../config/given.ts';
import type { PassfileRefresher } from '../index.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import type { TokenSource } from '../refresh/token-source.ts';
import type { Clock } from '../support/clock.ts';
import type { JwtClaims } from '../support/jwt.ts';

/** Where the daemon's tokens come from, and what belongs to that. */
export interface OpenedSource {
  readonly source: TokenSource;
  /** Whether a token found in place is one that the source would give. */
  readonly isOurs: (claims: JwtClaims) => boolean;
  /** What goes on beside the refresher until `signal` aborts. */
  accompany(refresher: PassfileRefresher, signal: AbortSignal): Promise<void>;
}

export interface SourceContext {
  readonly requestTimeoutMs: number;
  readonly env: Environment;
  readonly clock: Clock;
  readonly onEvent: (event: RefreshEvent) => void;
}
