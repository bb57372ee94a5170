import type { Config } from '../config/config.ts';
import type { Environment } from '../config/given.ts';
import { createRefresher, type PassfileRefresher } from '../index.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import { openSource } from '../sources/open.ts';
import { systemClock } from '../support/system-clock.ts';

export interface Daemon {
  readonly refresher: PassfileRefresher;
  /** Runs until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Puts the parts together, for `run` and `once` alike. Throws PgpassdError `config.invalid`. */
export async function createDaemon(
  config: Config,
  env: Environment,
  onEvent: (event: RefreshEvent) => void,
): Promise<Daemon> {
  const { requestTimeoutMs, template, passfile, entries, mode, refreshFraction } = config;
  const context = { requestTimeoutMs, env, clock: systemClock, onEvent };
  const { source, isOurs, accompany } = await openSource(config.source, context);
  const owner = ownerOf(config);
  const refresher = await createRefresher({
    passfile,
    entries,
    ...(template !== undefined && { template }),
    source,
    mode,
    ...(owner && { owner }),
    refreshFraction,
    isOurs,
    onEvent,
  });
  return {
    refresher,
    async run(signal) {
      await Promise.all([refresher.run(signal), accompany(refresher, signal)]);
    },
  };
}

function ownerOf({ owner }: Config): { uid: number; gid: number } | undefined {
  return owner && { uid: owner.uid, gid: owner.gid ?? process.getgid?.() ?? owner.uid };
}
