import { lstat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { PgpassdError } from '../support/errors.ts';
import { errorOf } from '../support/failure.ts';
import { decodeJwtClaims, type JwtClaims, numericDateMs } from '../support/jwt.ts';
import type { KnownSecrets, Secret } from '../support/secret.ts';
import { inSteps } from '../support/steps.ts';
import { type AdoptedToken, adoptToken, passwordsIn } from './adopt.ts';
import { lookWhose, refusalOf } from './in-place.ts';
import { type Damage, type Expected, type InPlace, type Owner, readInPlace } from './inspect.ts';
import { keepInPlace } from './keep.ts';
import { BYTES, type PassfileLayout } from './layout.ts';
import {
  displaceDirectory,
  lookAtPassfile,
  type PassfileTarget,
  publishPassfile,
  removePassfile,
  replacePassfile,
  sweepLeftovers,
  tryDirectory,
} from './publish.ts';
import { hasTooManyLines } from './raw-lines.ts';
import { assertSize } from './size.ts';
import { explainWriteError } from './write-errors.ts';
import { forgetWritten, noteWritten } from './written.ts';

export interface Repair {
  readonly damage: Damage;
  /** Where a directory that stood in the passfile's place is now. */
  readonly displacedTo?: string;
}

/** Another pgpassd, such as `once` beside `run`, has put a token in place that lasts longer than ours. */
interface Overtaken {
  readonly newer: AdoptedToken;
}

/** A token taken over, and what became of the mode and owner that its file is to have. */
interface TakenOver extends AdoptedToken {
  /** Whether the file was written again for them. */
  readonly rewritten?: boolean;
  /** Why it could not be. */
  readonly problem?: PgpassdError;
}

/**
 * The passfile as the refresher and the guard see it. Every method throws PgpassdError `passfile.*` when the
 * volume is to blame, and `config.invalid` when what is in place is not ours to replace or to remove, or when
 * the passfile would be too large to be read; `adopt` and `look` never the latter.
 */
export interface Passfile {
  /** That there is nothing at the path which is not ours to replace. Changes nothing. */
  claim(): Promise<void>;
  /** The same; tries the directory and removes leftovers; returns how many there were. */
  prepare(): Promise<number>;
  /**
   * The token of a passfile already in place whose lines are exactly ours, and which belongs to us or to
   * the owner that we would give it.
   */
  adopt(): Promise<TakenOver | undefined>;
  publish(token: Secret): Promise<'written' | 'unchanged'>;
  /** What is wrong with what was published or adopted; `undefined` when nothing is, or nothing was. */
  look(): Promise<Damage | undefined>;
  /**
   * Puts what was published or adopted back when it is not in place, unless that lasts longer: then it is
   * taken over. `undefined` when ours is in place, or there was none.
   */
  repair(): Promise<Repair | Overtaken | undefined>;
  /** From then on there is nothing to repair. What is not ours stays. */
  remove(): Promise<void>;
}

export interface PassfileOptions {
  /** Whether the layout says what the whole file is to be: then what is not ours is kept beside it, not refused. */
  readonly replacesAny?: boolean;
  /** The passwords found in place are added to them. */
  readonly secrets?: KnownSecrets;
  /** What was in place was not ours, and is at this path now. */
  readonly onKept?: (keptAs: string) => void;
  /** A publication found what earlier ones had left, and removed it. */
  readonly onSwept?: (files: number) => void;
}

/**
 * `layout` is asked for at each use: a template may have changed. `isOurs` tells from a token's
 * claims whether it is one that we would ask for.
 */
export function createPassfile(
  target: PassfileTarget,
  layout: () => PassfileLayout,
  isOurs: (claims: JwtClaims) => boolean,
  { replacesAny = false, secrets, onKept, onSwept }: PassfileOptions = {},
): Passfile {
  const inTurn = createTurns();
  let published: Expected | undefined;
  /** Where it stays is told once, however often what comes next is tried. */
  let lastKept: string | undefined;

  // As the file system made it: without an owner of our choice a change of owner is to be seen, too.
  const remember = async (content: Buffer) => {
    const stats = await lstat(target.path).catch(() => undefined);
    published = { content, mode: target.mode, owner: target.owner ?? stats, file: stats };
  };

  const whose = () =>
    lookWhose(target, layout(), published).catch((error: unknown) => {
      throw explainWriteError(error, target);
    });

  const claim = async () => {
    const refusal = refusalOf(await whose(), target, replacesAny);
    if (refusal !== undefined) throw errorOf(refusal);
  };

  // Once we have put a file there, the path is ours; what others put there meanwhile is not lost.
  const makeWay = async () => {
    const standing = await whose();
    if (standing.kind === 'ours') return;
    const refusal = refusalOf(standing, target, replacesAny || published !== undefined);
    if (refusal !== undefined) throw errorOf(refusal);
    const keptAs = await keepInPlace(target, standing.objection);
    if (keptAs !== undefined && keptAs !== lastKept) onKept?.(keptAs);
    lastKept = keptAs;
  };

  // With our mode and owner, which may be others than those it was published with.
  const takeOver = async (isWanted: (found: AdoptedToken) => boolean) => {
    const inPlace = await readInService(target.path);
    if (inPlace === undefined) return undefined;
    const { content, stats } = inPlace;
    // Whosever it is, a text may quote it.
    secrets?.addInPlace(await inSteps(passwordsIn(content), setImmediate));
    const mayBeOurs = isUs(stats) || stats.uid === target.owner?.uid;
    const found = mayBeOurs ? adoptToken(content, stats.mtimeMs, layout(), isOurs) : undefined;
    if (found === undefined || !isWanted(found)) return undefined;
    published = { content, mode: target.mode, owner: target.owner ?? stats };
    return found;
  };

  const putRight = async (expected: Expected): Promise<boolean> => {
    if ((await lookAtPassfile(target, expected)) === undefined) return false;
    await replacePassfile(target, expected.content);
    await remember(expected.content);
    await noteWritten(target, expected.content);
    return true;
  };

  /** What ours lives for; at once over when that is not known, so that nothing is taken for better. */
  const endsLater = ({ content }: Expected, { expiresAtMs }: AdoptedToken) => {
    const claims = decodeJwtClaims(layout().passwordIn(content) ?? '');
    const ourEndMs = claims && numericDateMs(claims, 'exp');
    return ourEndMs !== undefined && expiresAtMs > ourEndMs;
  };

  return {
    claim: () => inTurn(claim),

    prepare: () =>
      inTurn(async () => {
        await claim();
        const swept = await sweepLeftovers(target);
        await tryDirectory(target);
        return swept;
      }),

    adopt: () =>
      inTurn(async () => {
        const found = await takeOver(() => true);
        if (found === undefined || published === undefined) return undefined;
        try {
          return { ...found, rewritten: await putRight(published) };
        } catch (error) {
          return { ...found, problem: explainWriteError(error, target) };
        }
      }),

    publish: (token) =>
      inTurn(async () => {
        const password = token.unwrap();
        assertSize(layout(), target.path, password);
        const content = layout().render(password);
        const swept = await sweepLeftovers(target);
        if (swept > 0) onSwept?.(swept);
        const outcome = await publishPassfile(target, content, makeWay);
        // A file that was right already may have been given away.
        if (outcome === 'unchanged' && published) published = { ...published, content };
        else {
          await remember(content);
          await noteWritten(target, content);
        }
        return outcome;
      }),

    async look() {
      const look = async () => published && (await lookAtPassfile(target, published));
      // A publication that takes long leaves the file in place as it was; what seems wrong may be the
      // end of one, so that is looked at again in turn.
      return (await look()) && (await inTurn(look));
    },

    repair: () =>
      inTurn(async () => {
        const damage = published && (await lookAtPassfile(target, published));
        if (published === undefined || damage === undefined) return undefined;
        const ours = published;
        const newer = await takeOver((found) => endsLater(ours, found));
        if (newer !== undefined) return { newer };
        const displacedTo = (await isDirectory(target.path))
          ? await displaceDirectory(target)
          : undefined;
        await makeWay();
        await replacePassfile(target, published.content);
        await remember(published.content);
        await noteWritten(target, published.content);
        return { damage, ...(displacedTo !== undefined && { displacedTo }) };
      }),

    remove: () =>
      inTurn(async () => {
        const standing = await whose();
        published = undefined;
        const refusal = refusalOf(standing, target, false);
        if (refusal !== undefined) throw errorOf(refusal);
        await removePassfile(target);
        await forgetWritten(target);
      }),
  };
}

/** One after the other, so that a repair never puts an older token over a newer one. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** Only root can read what belongs to others; that root would take over another user's file is no reason to. */
function isUs({ uid }: Owner): boolean {
  return uid === process.geteuid?.();
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

/** A file that libpq would not read, or that is not a file, is not in service: nothing to adopt. */
async function readInService(path: string): Promise<InPlace | undefined> {
  const inPlace = await readInPlace(path).catch(() => undefined);
  if (inPlace === undefined || (inPlace.stats.mode & 0o077) !== 0) return undefined;
  return hasTooManyLines(inPlace.content.toString(BYTES)) ? undefined : inPlace;
}
