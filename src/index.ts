import { resolve } from 'node:path';
import { parseEntries } from './config/entry.ts';
import { ValueError } from './config/values.ts';
import type { Entry } from './passfile/format.ts';
import { createGuard } from './passfile/guard.ts';
import { entriesLayout, type PassfileLayout } from './passfile/layout.ts';
import { createPassfile, type Passfile } from './passfile/passfile.ts';
import { layoutOf, readTemplate } from './passfile/read-template.ts';
import { assertSize } from './passfile/size.ts';
import type { Damage, RefreshCause, RefreshEvent, TokenInPlace } from './refresh/events.ts';
import { Refresher } from './refresh/refresher.ts';
import type { Turn } from './refresh/schedule.ts';
import { fetchFrom, type TokenSource } from './refresh/token-source.ts';
import { POLL_INTERVAL_MS } from './support/attend-file.ts';
import type { Clock } from './support/clock.ts';
import { untilAborted, withDeadline } from './support/deadline.ts';
import { asPgpassdError, PgpassdError } from './support/errors.ts';
import { createFollower } from './support/follow-file.ts';
import type { JwtClaims } from './support/jwt.ts';
import { isSameFile } from './support/same-file.ts';
import { systemClock } from './support/system-clock.ts';

export type { Entry } from './passfile/format.ts';
export type { Damage, RefreshCause, RefreshEvent, TokenInPlace } from './refresh/events.ts';
export type { Turn } from './refresh/schedule.ts';
export type { IssuedToken, TokenSource } from './refresh/token-source.ts';
export type { Clock, Instant } from './support/clock.ts';
export { type ErrorCode, PgpassdError } from './support/errors.ts';
export type { JwtClaims } from './support/jwt.ts';
export { Secret } from './support/secret.ts';

export interface RefresherOptions {
  /** The file to write. */
  readonly passfile: string;
  /** Who the token is for, in order, as `host:port:database:user`, as connection strings, or parsed. */
  readonly entries?: readonly (string | Entry)[];
  /** Instead of entries: a passfile whose managed lines have the password `${token}`. */
  readonly template?: string;
  readonly source: TokenSource;
  /** 0o600 unless told otherwise; libpq ignores a file with any group or world bit. */
  readonly mode?: 0o600 | 0o400;
  /** Set before the file is published; whoever the file system gives it to when absent. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Refresh when this share of a token's life has passed: 0.5 unless told otherwise. */
  readonly refreshFraction?: number;
  /** Whether a token found in a passfile already in place, by its claims, is one of the source's. */
  readonly isOurs?: (claims: JwtClaims) => boolean;
  /** Everything worth telling; none of it holds a token. */
  readonly onEvent?: (event: RefreshEvent) => void;
  readonly clock?: Clock;
}

export interface PassfileRefresher {
  /** The unexpired token in the passfile, as far as we know; without the token itself. */
  readonly tokenInPlace: TokenInPlace | undefined;
  /** Whether the last attempt failed. */
  readonly failing: boolean;
  /** What the loop did last. */
  readonly turn: Turn;
  /** What keeps clients from finding the token in place, on disk and now. */
  lookAtPassfile(): Promise<Damage | undefined>;
  /** Keeps the passfile current until `signal` aborts; never rejects for a fault of the world. */
  run(signal: AbortSignal): Promise<void>;
  /** Asks for a refresh as soon as decent, whatever the schedule says. */
  refresh(cause?: Exclude<RefreshCause, 'due' | 'template'>): void;
  /** Takes the passfile away from its clients. Throws PgpassdError `passfile.*`. */
  remove(): Promise<void>;
}

/** A volume that does not answer by then is looked at again before anything is asked for. */
const LOOK_MS = 2_000;

const { signal: never } = new AbortController();

/**
 * Keeps a passfile current with tokens of the caller's own source. The daemon is built on it.
 *
 * @throws PgpassdError `config.invalid` for a template or an entry that cannot be used, unless
 * there is either a template or an entry, when the file in the passfile's place is not one that pgpassd wrote
 * and there is no template (a template says what the whole file is to be, and what was there is kept beside
 * it), and when the passfile would be too large to be read
 */
export async function createRefresher(options: RefresherOptions): Promise<PassfileRefresher> {
  const { clock = systemClock, onEvent = () => undefined, template } = options;
  const path = resolve(options.passfile);
  const looking = (look: () => Promise<void>) =>
    withDeadline(clock, LOOK_MS, never, (attempt) => untilAborted(look(), attempt));
  await looking(() => assertApart(options));
  let layout = await layoutFor(options);
  assertSize(layout, path);
  const passfile = createPassfile(
    { path, mode: options.mode ?? 0o600, owner: options.owner },
    () => layout,
    options.isOurs ?? (() => true),
    {
      replacesAny: template !== undefined,
      onKept: (keptAs) => onEvent({ type: 'passfile.kept', keptAs }),
      onSwept: (files) => onEvent({ type: 'passfile.swept', files }),
    },
  );
  await looking(() => claim(passfile));
  const refresher = new Refresher({
    fetchToken: fetchFrom(options.source, clock),
    passfile,
    clock,
    random: Math.random,
    refreshFraction: options.refreshFraction ?? 0.5,
    onEvent,
  });

  const acceptTemplate = (bytes: Buffer, before: Buffer | undefined) => {
    try {
      const next = layoutOf(bytes, template ?? '');
      assertSize(next, path);
      if (before === undefined && next.render('').equals(layout.render(''))) return;
      layout = next;
      onEvent({ type: 'template.changed' });
      refresher.ask('template');
    } catch (error) {
      onEvent({ type: 'template.rejected', error: asPgpassdError(error) });
    }
  };
  const attention = { clock, pollIntervalMs: POLL_INTERVAL_MS, watching: true };
  const guard = createGuard({
    ...attention,
    path,
    passfile,
    onRepaired: (repair, repairs) => onEvent({ type: 'passfile.repaired', ...repair, repairs }),
    onContested: (repairsInAMinute) => onEvent({ type: 'passfile.contested', repairsInAMinute }),
    onRepairFailed: (error) => onEvent({ type: 'passfile.repair-failed', error }),
    onWatchFailed: (error) => onEvent({ type: 'watch.failed', what: 'passfile', error }),
  });
  const templateFollower =
    template === undefined
      ? undefined
      : createFollower({
          ...attention,
          path: resolve(template),
          read: readTemplate,
          same: (one, other) => one.equals(other),
          onContent: acceptTemplate,
          onUnreadable: (error) =>
            onEvent({ type: 'template.rejected', error: asPgpassdError(error) }),
          onWatchFailed: (error) => onEvent({ type: 'watch.failed', what: 'template', error }),
        });

  return {
    get tokenInPlace() {
      return refresher.tokenInPlace;
    },
    get failing() {
      return refresher.failing;
    },
    get turn() {
      return refresher.turn;
    },
    lookAtPassfile: () => passfile.look(),
    async run(signal) {
      await Promise.all([refresher.run(signal), guard.run(signal), templateFollower?.run(signal)]);
    },
    refresh(cause = 'request') {
      templateFollower?.lookNow();
      refresher.ask(cause);
    },
    remove: () => passfile.remove(),
  };
}

async function assertApart({ passfile, template }: RefresherOptions): Promise<void> {
  if (template === undefined || !(await isSameFile(passfile, template))) return;
  throw new PgpassdError(
    'config.invalid',
    '--template and --passfile (PGPASSFILE) name the same file',
    'Keep the template elsewhere, in a ConfigMap or a Secret: the passfile is replaced, and the placeholders with it.',
  );
}

/** A failing volume is an error when the passfile is written, not yet here. */
async function claim(passfile: Passfile): Promise<void> {
  await passfile.claim().catch((error: unknown) => {
    if (asPgpassdError(error).code === 'config.invalid') throw error;
  });
}

async function layoutFor({ entries = [], template }: RefresherOptions): Promise<PassfileLayout> {
  if ((template === undefined) === (entries.length === 0)) {
    throw new PgpassdError(
      'config.invalid',
      `createRefresher was given ${template === undefined ? 'neither entries nor' : 'both entries and'} a template`,
      'Give it the one or the other.',
    );
  }
  return template === undefined
    ? entriesLayout(entries.flatMap(asEntries))
    : layoutOf(await readTemplate(template), template);
}

function asEntries(entry: string | Entry): readonly Entry[] {
  if (typeof entry !== 'string') return [entry];
  try {
    return parseEntries(entry);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new PgpassdError(
      'config.invalid',
      `an entry cannot be used: ${error.message}`,
      'Write it as host:port:database:user, or as a connection string without a password.',
    );
  }
}
