import type { ConfigReading } from '../config/load.ts';
import type { Environment } from '../config/option.ts';
import type { Clock } from '../support/clock.ts';

/** What `check` looks at, and with. */
export interface Scene {
  readonly reading: ConfigReading;
  readonly env: Environment;
  readonly clock: Clock;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** Who we run as; `undefined` where there are no numbers for users. */
  readonly uid: number | undefined;
}

/** In whose container we are: in pgpassd's own, or beside a client that reads the passfile. */
export type Side = 'daemon' | 'client';

/** The default of `--request-timeout`, for when that could not be read. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** How long one attempt at something may take. */
export function timeoutMsOf({ reading }: Scene): number {
  return reading.values.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS;
}
