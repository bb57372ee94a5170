import { lstat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { inSteps } from '../support/clock.ts';
import { errorOf, type PgpassdError } from '../support/errors.ts';
import type { KnownSecrets, Secret } from '../support/secret.ts';
import { decodeJwtClaims, type JwtClaims, numericDateMs } from '../support/token.ts';
import { hasTooManyLines, passwordsIn } from './format.ts';
import { type Damage, type Expected, type InPlace, type Owner, readInPlace } from './inspect.ts';
import { type AdoptedToken, adoptToken, assertSize, BYTES, type PassfileLayout } from './layout.ts';
import { explainWriteError } from './messages.ts';
import {
  findOwnership,
  forgetWritten,
  keepForeign,
  recordWritten,
  refusalOf,
} from './ownership.ts';
import {
  displaceDirectory,
  inspectPassfile,
  type PassfileTarget,
  publishPassfile,
  removePassfile,
  replacePassfile,
  sweepLeftovers,
  tryDirectory,
} from './publish.ts';

export interface Repair {
  readonly damage: Damage;
  /** The new path of a directory that was in the passfile's place. */
  readonly displacedTo?: string;
}

/** Another pgpassd, such as `once` beside `run`, has put a token in place that lasts longer than ours. */
interface Overtaken {
  readonly newer: AdoptedToken;
}

/** An adopted token, and whether its file has the mode and owner that it should have. */
interface TakenOver extends AdoptedToken {
  /** Whether the file was rewritten to set them. */
  readonly rewritten?: boolean;
  /** Why that failed. */
  readonly problem?: PgpassdError;
}

/**
 * The passfile as the refresher and the guard see it. Every method throws PgpassdError `passfile.*` when the
 * volume fails. All but `adopt` and `look` also throw `config.invalid`: when what is in place is not ours to
 * replace or remove, or when the passfile would be too large to be read.
 */
export interface Passfile {
  /** Checks that whatever is at the path is ours to replace. Changes nothing. */
  claim(): Promise<void>;
  /** The same; also tests the directory, removes leftovers, and returns how many it removed. */
  prepare(): Promise<number>;
  /**
   * Takes over the token of a passfile already in place whose lines are exactly ours, and which belongs to us
   * or to the owner that we would set.
   */
  adopt(): Promise<TakenOver | undefined>;
  publish(token: Secret): Promise<'written' | 'unchanged'>;
  /** What is wrong with what was published or adopted; `undefined` when nothing is, or nothing was. */
  look(): Promise<Damage | undefined>;
  /**
   * Restores what was published or adopted if something else is in place; takes that over instead if its token
   * lasts longer. `undefined` when ours is in place, or when there was none.
   */
  repair(): Promise<Repair | Overtaken | undefined>;
  /** Removes the file, after which there is nothing to repair. A file that is not ours stays. */
  remove(): Promise<void>;
}

export interface PassfileOptions {
  /** Whether the layout describes the whole file: then a file that is not ours is kept beside it, not refused. */
  readonly replacesAny?: boolean;
  /** Collects the passwords found in place, so that they are redacted. */
  readonly secrets?: KnownSecrets;
  /** The file in place was not ours, and is kept at this path now. */
  readonly onKept?: (keptAs: string) => void;
  /** A publication removed what earlier ones had left. */
  readonly onSwept?: (files: number) => void;
}

/**
 * Calls `layout` at each use, since a template may have changed. `isOurs` says whether a token with these
 * claims is one that we would request.
 */
export function createPassfile(
  target: PassfileTarget,
  layout: () => PassfileLayout,
  isOurs: (claims: JwtClaims) => boolean,
  { replacesAny = false, secrets, onKept, onSwept }: PassfileOptions = {},
): Passfile {
  const exclusive = createMutex();
  let published: Expected | undefined;
  /** Reported once, however often the publication after it is tried again. */
  let lastKept: string | undefined;

  // With the owner that the file system set, so that without --owner a change of owner is noticed, too.
  const remember = async (content: Buffer) => {
    const stats = await lstat(target.path).catch(() => undefined);
    published = { content, mode: target.mode, owner: target.owner ?? stats, file: stats };
  };

  const ownership = () =>
    findOwnership(target, layout(), published).catch((error: unknown) => {
      throw explainWriteError(error, target);
    });

  const claim = async () => {
    const refusal = refusalOf(await ownership(), target, replacesAny);
    if (refusal !== undefined) throw errorOf(refusal);
  };

  // Once we have put a file there, the path is ours: a file that others put there is kept, not refused.
  const makeWay = async () => {
    const found = await ownership();
    if (found.kind === 'ours') return;
    const refusal = refusalOf(found, target, replacesAny || published !== undefined);
    if (refusal !== undefined) throw errorOf(refusal);
    const keptAs = await keepForeign(target, found.objection);
    if (keptAs !== undefined && keptAs !== lastKept) onKept?.(keptAs);
    lastKept = keptAs;
  };

  // With our mode and owner, which may be others than those it was published with.
  const takeOver = async (isWanted: (found: AdoptedToken) => boolean) => {
    const inPlace = await readInService(target.path);
    if (inPlace === undefined) return undefined;
    const { content, stats } = inPlace;
    // Later messages may quote a password, even one that is not ours.
    secrets?.addInPlace(await inSteps(passwordsIn(content), setImmediate));
    const mayBeOurs = isUs(stats) || stats.uid === target.owner?.uid;
    const found = mayBeOurs ? adoptToken(content, stats.mtimeMs, layout(), isOurs) : undefined;
    if (found === undefined || !isWanted(found)) return undefined;
    published = { content, mode: target.mode, owner: target.owner ?? stats };
    return found;
  };

  const restore = async ({ content }: Expected) => {
    await replacePassfile(target, content);
    await remember(content);
    await recordWritten(target, content);
  };

  /** False when the end of our token is unknown, so that no other token replaces it. */
  const endsLater = ({ content }: Expected, { expiresAtMs }: AdoptedToken) => {
    const claims = decodeJwtClaims(layout().passwordIn(content) ?? '');
    const ourEndMs = claims && numericDateMs(claims, 'exp');
    return ourEndMs !== undefined && expiresAtMs > ourEndMs;
  };

  return {
    claim: () => exclusive(claim),

    prepare: () =>
      exclusive(async () => {
        await claim();
        const swept = await sweepLeftovers(target);
        await tryDirectory(target);
        return swept;
      }),

    adopt: () =>
      exclusive(async () => {
        const found = await takeOver(() => true);
        if (found === undefined || published === undefined) return undefined;
        try {
          const damage = await inspectPassfile(target, published);
          if (damage !== undefined) await restore(published);
          return { ...found, rewritten: damage !== undefined };
        } catch (error) {
          return { ...found, problem: explainWriteError(error, target) };
        }
      }),

    publish: (token) =>
      exclusive(async () => {
        const password = token.unwrap();
        assertSize(layout(), target.path, password);
        const content = layout().render(password);
        const swept = await sweepLeftovers(target);
        if (swept > 0) onSwept?.(swept);
        const outcome = await publishPassfile(target, content, makeWay);
        // The file was already right, but its owner may have changed since.
        if (outcome === 'unchanged' && published) published = { ...published, content };
        else {
          await remember(content);
          await recordWritten(target, content);
        }
        return outcome;
      }),

    async look() {
      const inspect = async () => published && (await inspectPassfile(target, published));
      // Does not wait for a slow publication, during which the old file is still in place. Damage may be the
      // last moment of a publication, so it is checked again when no other work is under way.
      return (await inspect()) && (await exclusive(inspect));
    },

    repair: () =>
      exclusive(async () => {
        const damage = published && (await inspectPassfile(target, published));
        if (published === undefined || damage === undefined) return undefined;
        const ours = published;
        const newer = await takeOver((found) => endsLater(ours, found));
        if (newer !== undefined) return { newer };
        const displacedTo = (await isDirectory(target.path))
          ? await displaceDirectory(target)
          : undefined;
        await makeWay();
        await restore(published);
        return { damage, ...(displacedTo !== undefined && { displacedTo }) };
      }),

    remove: () =>
      exclusive(async () => {
        const found = await ownership();
        published = undefined;
        const refusal = refusalOf(found, target, false);
        if (refusal !== undefined) throw errorOf(refusal);
        await removePassfile(target);
        await forgetWritten(target);
      }),
  };
}

/** Runs work one at a time, so that a repair never puts an older token over a newer one. */
function createMutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

/** Root can read the files of all users, but does not take them over. */
function isUs({ uid }: Owner): boolean {
  return uid === process.geteuid?.();
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

/** `undefined` for what libpq would not read as a passfile: there is nothing to adopt. */
async function readInService(path: string): Promise<InPlace | undefined> {
  const inPlace = await readInPlace(path).catch(() => undefined);
  if (inPlace === undefined || (inPlace.stats.mode & 0o077) !== 0) return undefined;
  return hasTooManyLines(inPlace.content.toString(BYTES)) ? undefined : inPlace;
}
