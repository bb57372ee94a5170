import type { Config } from '../config/config.ts';
import type { Environment } from '../config/given.ts';
import { filesToRead, type ReadFile } from '../config/read-files.ts';
import { createRefresher, type PassfileRefresher } from '../index.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import { openSource } from '../sources/open.ts';
import { untilAborted, withDeadline } from '../support/deadline.ts';
import { PgpassdError } from '../support/errors.ts';
import { isSameFile } from '../support/same-file.ts';
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
  await assertOwnFile(config, env);
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

/** A volume that does not answer by then is an error when it is to be written. */
const LOOK_MS = 2_000;

const { signal: never } = new AbortController();

/** That the passfile is no file that something else is read from. Throws PgpassdError `config.invalid`. */
async function assertOwnFile(config: Config, env: Environment): Promise<void> {
  const setting = await withDeadline(systemClock, LOOK_MS, never, (attempt) =>
    untilAborted(firstThatIs(config.passfile, filesToRead(config, env)), attempt),
  );
  if (setting === undefined) return;
  throw new PgpassdError(
    'config.invalid',
    `--passfile (PGPASSFILE) and ${setting} name the same file`,
    'Let --passfile name a file of its own, on a volume shared with the clients: pgpassd replaces it.',
  );
}

async function firstThatIs(
  passfile: string,
  files: readonly ReadFile[],
): Promise<string | undefined> {
  for (const { setting, path } of files) if (await isSameFile(passfile, path)) return setting;
  return undefined;
}

function ownerOf({ owner }: Config): { uid: number; gid: number } | undefined {
  return owner && { uid: owner.uid, gid: owner.gid ?? process.getgid?.() ?? owner.uid };
}
