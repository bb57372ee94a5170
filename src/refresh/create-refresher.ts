import { resolve } from 'node:path';
import { passfileIsItsTemplate } from '../passfile/causes.ts';
import type { Entry } from '../passfile/format.ts';
import { createGuard } from '../passfile/guard.ts';
import { entriesLayout, type PassfileLayout } from '../passfile/layout.ts';
import { createPassfile, type Passfile } from '../passfile/passfile.ts';
import { layoutOf, readTemplate } from '../passfile/read-template.ts';
import { assertSize } from '../passfile/size.ts';
import { hasBegun, ourClock } from '../support/access-token.ts';
import { POLL_INTERVAL_MS } from '../support/attend-file.ts';
import type { Clock } from '../support/clock.ts';
import { watchClockSteps } from '../support/clock-steps.ts';
import { untilAborted, withDeadline } from '../support/deadline.ts';
import { asPgpassdError } from '../support/errors.ts';
import { errorOf } from '../support/failure.ts';
import { createFollower } from '../support/follow-file.ts';
import type { JwtClaims } from '../support/jwt.ts';
import type { KnownSecrets } from '../support/known-secrets.ts';
import { isSameFile } from '../support/same-file.ts';
import type { Damage, RefreshCause, RefreshEvent, TokenInPlace } from './events.ts';
import { type FetchToken, Refresher } from './refresher.ts';
import type { Turn } from './schedule.ts';

export interface RefresherSettings {
  /** The file to write. */
  readonly passfile: string;
  /** Who the token is for, in order; empty when there is a template. */
  readonly entries: readonly Entry[];
  /** Instead of entries: a passfile whose managed lines have the password `${token}`. */
  readonly template: string | undefined;
  readonly fetchToken: FetchToken;
  readonly mode: 0o600 | 0o400;
  /** Absent: the owner that the file system gives the file. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Refresh when this share of a token's life has passed. */
  readonly refreshFraction: number;
  /** Whether a token found in a passfile already in place, by its claims, is one of the source's. */
  readonly isOurs: (claims: JwtClaims) => boolean;
  readonly onEvent: (event: RefreshEvent) => void;
  readonly clock: Clock;
  /** Where the passwords found in place are added. */
  readonly secrets: KnownSecrets;
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
  /**
   * Asks for a refresh: for a `request` as soon as decent, whatever the schedule says; for a `rotation`
   * within five minutes while the token in place is valid, so that not all pods ask at once.
   */
  refresh(cause?: Exclude<RefreshCause, 'due' | 'template'>): void;
  /** Takes the passfile away from its clients. Throws PgpassdError `passfile.*`. */
  remove(): Promise<void>;
}

/** A volume that does not answer by then is looked at again before anything is asked for. */
const LOOK_MS = 2_000;

const { signal: never } = new AbortController();

/**
 * Puts the refresher, the guard of the passfile and what follows the template together.
 *
 * @throws PgpassdError `config.invalid` for a template that cannot be used, for a file in place that is not
 * ours to replace, and for a passfile that would be too large to be read
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
    onOvertaken: (newer) => refresher.takeOver(newer),
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
      await Promise.all([
        refresher.run(signal),
        guard.run(signal),
        templateFollower?.run(signal),
        watchClockSteps(clock, () => refresher.clockStepped(), signal),
      ]);
    },
    refresh(cause = 'request') {
      templateFollower?.lookNow();
      refresher.ask(cause);
    },
    remove: () => passfile.remove(),
  };
}

async function assertApart({ passfile, template }: RefresherSettings): Promise<void> {
  if (template === undefined || !(await isSameFile(passfile, template))) return;
  throw errorOf(passfileIsItsTemplate());
}

/** A failing volume is an error when the passfile is written, not yet here. */
async function claim(passfile: Passfile): Promise<void> {
  await passfile.claim().catch((error: unknown) => {
    if (asPgpassdError(error).code === 'config.invalid') throw error;
  });
}

async function layoutFor({ entries, template }: RefresherSettings): Promise<PassfileLayout> {
  return template === undefined
    ? entriesLayout(entries)
    : layoutOf(await readTemplate(template), template);
}
