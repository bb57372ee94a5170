import { resolve } from 'node:path';
import { parseEntries } from '../config/entry.ts';
import { ValueError } from '../config/values.ts';
import type { Entry } from '../passfile/format.ts';
import { createGuard } from '../passfile/guard.ts';
import type { Damage } from '../passfile/inspect.ts';
import { assertSize, layoutFor, layoutOf, readTemplate } from '../passfile/layout.ts';
import { passfileIsItsTemplate } from '../passfile/messages.ts';
import { createPassfile, type Passfile } from '../passfile/passfile.ts';
import { hasBegun, ourClock } from '../support/access-token.ts';
import {
  type Clock,
  systemClock,
  untilAborted,
  watchClockSteps,
  withDeadline,
} from '../support/clock.ts';
import { asPgpassdError, errorOf, failure } from '../support/errors.ts';
import { createFollower, POLL_INTERVAL_MS } from '../support/file-watcher.ts';
import { isSameFile } from '../support/files.ts';
import type { JwtClaims } from '../support/jwt.ts';
import { KnownSecrets } from '../support/secret.ts';
import type { RefreshCause, RefreshEvent, TokenInPlace } from './events.ts';
import { type FetchToken, Refresher } from './refresher.ts';
import type { Turn } from './schedule.ts';
import { fetchFrom, type TokenSource } from './token-source.ts';

export interface RefresherOptions {
  /** The path of the passfile to write. */
  readonly passfile: string;
  /** The entries for the token, in order: `host:port:database:user`, connection strings, or parsed. */
  readonly entries?: readonly (string | Entry)[];
  /** Instead of entries: the path of a template, whose managed lines have the password `${token}`. */
  readonly template?: string;
  readonly source: TokenSource;
  /** 0o600 by default; libpq ignores a file that group or world may access. */
  readonly mode?: 0o600 | 0o400;
  /** Set before the file is published; by default the owner that the file system gives it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** The share of a token's life after which it is refreshed; 0.5 by default. */
  readonly refreshFraction?: number;
  /** Whether a token found in an existing passfile, by its claims, is one of the source's; all are by default. */
  readonly isOurs?: (claims: JwtClaims) => boolean;
  /** Called with everything worth reporting; no event holds a token. */
  readonly onEvent?: (event: RefreshEvent) => void;
  readonly clock?: Clock;
}

/** The options with their defaults, and what the caller's own source does not need. */
interface RefresherSettings {
  readonly passfile: string;
  /** Empty when there is a template. */
  readonly entries: readonly Entry[];
  readonly template: string | undefined;
  readonly fetchToken: FetchToken;
  readonly mode: 0o600 | 0o400;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly refreshFraction: number;
  readonly isOurs: (claims: JwtClaims) => boolean;
  readonly onEvent: (event: RefreshEvent) => void;
  readonly clock: Clock;
  /** The passwords found in the passfile are added to it. */
  readonly secrets: KnownSecrets;
  /** Runs beside the refresher until the signal aborts. */
  readonly runBeside?: (refresher: PassfileRefresher, signal: AbortSignal) => Promise<void>;
}

export interface PassfileRefresher {
  /** The expiry and life of the token in the passfile, if it has not expired, as far as we know. */
  readonly tokenInPlace: TokenInPlace | undefined;
  /** Whether the last attempt failed. */
  readonly failing: boolean;
  /** What the refresh loop is doing. */
  readonly turn: Turn;
  /** What on disk keeps clients from finding the current token right now, if anything. */
  lookAtPassfile(): Promise<Damage | undefined>;
  /** Keeps the passfile current until `signal` aborts; never rejects for an outside failure. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Requests a refresh: for a `request` within a second, whatever the schedule says; for a `rotation`
   * within five minutes while the current token is valid, so that not all pods refresh at the same time.
   */
  refresh(cause?: Exclude<RefreshCause, 'due' | 'template'>): void;
  /** Removes the passfile. Throws PgpassdError `passfile.*`. */
  remove(): Promise<void>;
}

/** A volume that does not respond within this is tried again before the first token is requested. */
const LOOK_MS = 2_000;

const { signal: never } = new AbortController();

/**
 * Keeps a passfile current with tokens of the caller's own source.
 *
 * @throws PgpassdError `config.invalid`
 * - when there are both entries and a template, or neither;
 * - when the template or an entry cannot be used;
 * - when the template and the passfile are the same file;
 * - when the passfile would be too large to be read;
 * - when pgpassd did not write the existing file, and there are entries. With a template, which describes the
 *   whole file, it is kept beside the passfile instead; what cannot be kept, such as a FIFO, is refused.
 */
export async function createRefresher(options: RefresherOptions): Promise<PassfileRefresher> {
  const { clock = systemClock, entries = [], template } = options;
  if ((template === undefined) === (entries.length === 0)) {
    throw errorOf(eitherEntriesOrTemplate({ given: template === undefined ? 'neither' : 'both' }));
  }
  return await composeRefresher({
    passfile: options.passfile,
    entries: entries.flatMap(asEntries),
    template,
    fetchToken: fetchFrom(options.source, clock),
    mode: options.mode ?? 0o600,
    owner: options.owner,
    refreshFraction: options.refreshFraction ?? 0.5,
    isOurs: options.isOurs ?? (() => true),
    onEvent: options.onEvent ?? (() => undefined),
    clock,
    secrets: new KnownSecrets(),
  });
}

function asEntries(entry: string | Entry): readonly Entry[] {
  if (typeof entry !== 'string') return [entry];
  try {
    return parseEntries(entry);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw errorOf(entryUnusable({ problem: error.message }));
  }
}

export const eitherEntriesOrTemplate = failure<'given'>(
  'entries-or-template',
  'config.invalid',
  ({ given }) => ({
    found: `createRefresher takes either entries or a template, and was given ${given}`,
    remedy: 'Pass one of the two.',
  }),
);

export const entryUnusable = failure<'problem'>(
  'entry-unusable',
  'config.invalid',
  ({ problem }) => ({
    found: `an entry cannot be used: ${problem}`,
    remedy: 'Write it as host:port:database:user, or as a connection string without a password.',
  }),
);

/**
 * Combines the refresher, the guard of the passfile and the follower of the template.
 *
 * @throws PgpassdError `config.invalid` as `createRefresher` does
 */
export async function composeRefresher(settings: RefresherSettings): Promise<PassfileRefresher> {
  const { clock, onEvent, template, mode, owner, isOurs, secrets } = settings;
  const path = resolve(settings.passfile);
  const looking = (look: () => Promise<void>) =>
    withDeadline(clock, LOOK_MS, never, (attempt) => untilAborted(look(), attempt));
  await looking(() => assertApart(settings));
  let layout = await layoutFor(settings);
  assertSize(layout, path);
  const isOurToken = (claims: JwtClaims) =>
    isOurs(claims) && hasBegun(claims, ourClock(clock.now().wallMs));
  const passfile = createPassfile({ path, mode, owner }, () => layout, isOurToken, {
    replacesAny: template !== undefined,
    secrets,
    onKept: (keptAs) => onEvent({ type: 'passfile.kept', keptAs }),
    onSwept: (files) => onEvent({ type: 'passfile.swept', files }),
  });
  await looking(() => claim(passfile));
  const refresher = new Refresher({
    fetchToken: settings.fetchToken,
    passfile,
    clock,
    random: Math.random,
    refreshFraction: settings.refreshFraction,
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
    onSuperseded: (newer) => refresher.takeOver(newer),
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

  const composed: PassfileRefresher = {
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
      await Promise.all([
        refresher.run(signal),
        guard.run(signal),
        templateFollower?.run(signal),
        watchClockSteps(clock, () => refresher.clockStepped(), signal),
        settings.runBeside?.(composed, signal),
      ]);
    },
    refresh(cause = 'request') {
      templateFollower?.checkNow();
      refresher.ask(cause);
    },
    remove: () => passfile.remove(),
  };
  return composed;
}

async function assertApart({ passfile, template }: RefresherSettings): Promise<void> {
  if (template === undefined || !(await isSameFile(passfile, template))) return;
  throw errorOf(passfileIsItsTemplate());
}

/** A volume that fails is reported when the passfile is written, not here. */
async function claim(passfile: Passfile): Promise<void> {
  await passfile.claim().catch((error: unknown) => {
    if (asPgpassdError(error).code === 'config.invalid') throw error;
  });
}
