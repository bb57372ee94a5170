import type { Config } from '../config/config.ts';
import type { Environment } from '../config/given.ts';
import { filesToRead } from '../config/read-files.ts';
import { wholeOwner } from '../passfile/inspect.ts';
import { passfileIsRead } from '../passfile/messages.ts';
import { composeRefresher, type PassfileRefresher } from '../refresh/create-refresher.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import type { FetchToken } from '../refresh/refresher.ts';
import { openSource } from '../sources/open.ts';
import type { OpenedSource } from '../sources/source.ts';
import { systemClock } from '../support/clock.ts';
import { untilAborted, withDeadline } from '../support/deadline.ts';
import { errorOf } from '../support/failure.ts';
import { firstSameFile } from '../support/files.ts';
import { KnownSecrets } from '../support/secret.ts';

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
  await assertOwnFile(config, env);
  const secrets = new KnownSecrets();
  const context = { requestTimeoutMs, env, clock: systemClock, onEvent, secrets };
  const source = await openSource(config.source, context);
  const refresher = await composeRefresher({
    passfile,
    entries,
    template,
    fetchToken: fetchAskedFor(source),
    mode,
    owner: config.owner && wholeOwner(config.owner),
    refreshFraction,
    isOurs: (claims) => source.objectionTo(claims) === undefined,
    onEvent,
    clock: systemClock,
    secrets,
  });
  return {
    refresher,
    async run(signal) {
      await Promise.all([refresher.run(signal), source.accompany(refresher, signal)]);
    },
  };
}

/** What the source gives, unless it is for another than the settings ask for. */
function fetchAskedFor({ fetch, objectionTo }: OpenedSource): FetchToken {
  return async (signal) => {
    const issued = await fetch(signal);
    const claims = issued.token.jwtClaims();
    const objection = claims && objectionTo(claims);
    if (objection !== undefined) throw objection;
    return issued;
  };
}

/** A volume that does not answer by then is an error when it is to be written. */
const LOOK_MS = 2_000;

const { signal: never } = new AbortController();

/** That the passfile is no file that something else is read from. Throws PgpassdError `config.invalid`. */
async function assertOwnFile(config: Config, env: Environment): Promise<void> {
  const same = await withDeadline(systemClock, LOOK_MS, never, (attempt) =>
    untilAborted(firstSameFile(config.passfile, filesToRead(config, env)), attempt),
  );
  if (same !== undefined) throw errorOf(passfileIsRead({ setting: same.setting }));
}
