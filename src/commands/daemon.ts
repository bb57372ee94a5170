import type { Config } from '../config/load.ts';
import type { Environment } from '../config/option.ts';
import { filesToRead } from '../config/source.ts';
import { sanitizeLine } from '../observe/event-logger.ts';
import type { Log } from '../observe/log.ts';
import { wholeOwner } from '../passfile/inspect.ts';
import { passfileIsRead } from '../passfile/messages.ts';
import { composeRefresher, type PassfileRefresher } from '../refresh/create-refresher.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import type { FetchToken } from '../refresh/refresher.ts';
import { openSource } from '../sources/open.ts';
import type { OpenedSource } from '../sources/source.ts';
import { systemClock, untilAborted, withDeadline } from '../support/clock.ts';
import { errorOf } from '../support/errors.ts';
import { firstSameFile } from '../support/files.ts';
import { KnownSecrets } from '../support/secret.ts';
import { type CommandContext, LONGEST_LOG_CLOSE_MS } from './command.ts';

/** The refresher and its source as configured, for `run` and `once`. Throws PgpassdError `config.invalid`. */
export async function createDaemon(
  config: Config,
  env: Environment,
  onEvent: (event: RefreshEvent) => void,
): Promise<PassfileRefresher> {
  const { requestTimeoutMs, template, passfile, entries, mode, refreshFraction } = config;
  await assertOwnFile(config, env);
  const secrets = new KnownSecrets();
  const context = { requestTimeoutMs, env, clock: systemClock, onEvent, secrets };
  const source = await openSource(config.source, context);
  return await composeRefresher({
    passfile,
    entries,
    template,
    fetchToken: fetchAsConfigured(source),
    mode,
    owner: config.owner && wholeOwner(config.owner),
    refreshFraction,
    isOurs: (claims) => source.objectionTo(claims) === undefined,
    onEvent,
    clock: systemClock,
    secrets,
    runBeside: (refresher, signal) => source.run(refresher, signal),
  });
}

/** The source's token, unless it was issued for another identity or audience than the configured one. */
function fetchAsConfigured({ fetch, objectionTo }: OpenedSource): FetchToken {
  return async (signal) => {
    const issued = await fetch(signal);
    const claims = issued.token.jwtClaims();
    const objection = claims && objectionTo(claims);
    if (objection !== undefined) throw objection;
    return issued;
  };
}

/** A volume that does not respond within this is reported when the passfile is written. */
const LOOK_MS = 2_000;

const { signal: never } = new AbortController();

/** Checks that the passfile is not a file that is read. Throws PgpassdError `config.invalid`. */
async function assertOwnFile(config: Config, env: Environment): Promise<void> {
  const same = await withDeadline(systemClock, LOOK_MS, never, (attempt) =>
    untilAborted(firstSameFile(config.passfile, filesToRead(config, env)), attempt),
  );
  if (same !== undefined) throw errorOf(passfileIsRead({ setting: same.setting }));
}

/** Runs `work` with the configured log, and waits until its lines are written. */
export async function withLog<T>(
  config: Config,
  { terminal, secrets, openLog }: CommandContext,
  work: (log: Log) => Promise<T>,
): Promise<T> {
  const format = config.logFormat ?? (terminal ? 'pretty' : 'json');
  const { log, close } = await openLog({ level: config.logLevel, format });
  try {
    return await work((line) => log(sanitizeLine(line, secrets)));
  } finally {
    const closed = new AbortController();
    await close(systemClock.sleep(LONGEST_LOG_CLOSE_MS, closed.signal));
    closed.abort();
  }
}
