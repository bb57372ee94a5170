import { lstat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { inSteps } from '../support/clock.ts';
import { errorOf, type PgpassdError } from '../support/errors.ts';
import { decodeJwtClaims, type JwtClaims, numericDateMs } from '../support/jwt.ts';
import type { KnownSecrets, Secret } from '../support/secret.ts';
import { hasTooManyLines, passwordsIn } from './format.ts';
import {
  type Damage,
  type Expected,
  type InPlace,
  isLoose,
  type Owner,
  readInPlace,
} from './inspect.ts';
import { type AdoptedToken, adoptToken, assertSize, BYTES, type PassfileLayout } from './layout.ts';
import { explainWriteError } from './messages.ts';
import {
  findOwnership,
  forgetWritten,
  keepForeign,
  type Ownership,
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
interface Superseded {
  readonly newer: AdoptedToken;
}

interface Adoption extends AdoptedToken {
  /** Whether the file was rewritten, to give it the mode and owner that it should have. */
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
  adopt(): Promise<Adoption | undefined>;
  publish(token: Secret): Promise<'written' | 'unchanged'>;
  /** What is wrong with what was published or adopted; `undefined` when nothing is, or nothing was. */
  look(): Promise<Damage | undefined>;
  /**
   * Restores what was published or adopted if something else is in place; adopts that instead if its token
   * lasts longer. `undefined` when ours is in place, or when there was none.
   */
  repair(): Promise<Repair | Superseded | undefined>;
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
 * Calls `layout` at each use, since a template may have changed. `isWanted` says whether a token with these
 * claims is one that we would request.
 */
export function createPassfile(
  target: PassfileTarget,
  layout: () => PassfileLayout,
  isWanted: (claims: JwtClaims) => boolean,
  options: PassfileOptions = {},
): Passfile {
  const file = new PassfileOnDisk(target, layout, isWanted, options);
  const exclusive = createMutex();
  return {
    claim: () => exclusive(() => file.claim()),
    prepare: () => exclusive(() => file.prepare()),
    adopt: () => exclusive(() => file.adopt()),
    publish: (token) => exclusive(() => file.publish(token)),
    // Does not wait for a slow publication, during which the old file is still in place. What looks like
    // damage may be a publication that is just ending, so it is checked again when no other work is under way.
    look: async () => (await file.inspect()) && (await exclusive(() => file.inspect())),
    repair: () => exclusive(() => file.repair()),
    remove: () => exclusive(() => file.remove()),
  };
}

/** One method at a time, but for `inspect`. */
class PassfileOnDisk {
  readonly #target: PassfileTarget;
  readonly #layout: () => PassfileLayout;
  readonly #isWanted: (claims: JwtClaims) => boolean;
  readonly #options: PassfileOptions;
  #published: Expected | undefined;
  /** Reported once, however often the publication after it is tried again. */
  #lastKept: string | undefined;

  constructor(
    target: PassfileTarget,
    layout: () => PassfileLayout,
    isWanted: (claims: JwtClaims) => boolean,
    options: PassfileOptions,
  ) {
    this.#target = target;
    this.#layout = layout;
    this.#isWanted = isWanted;
    this.#options = options;
  }

  async claim(): Promise<void> {
    const { replacesAny = false } = this.#options;
    const refusal = refusalOf(await this.#ownership(), this.#target, replacesAny);
    if (refusal !== undefined) throw errorOf(refusal);
  }

  async prepare(): Promise<number> {
    await this.claim();
    const swept = await sweepLeftovers(this.#target);
    await tryDirectory(this.#target);
    return swept;
  }

  async adopt(): Promise<Adoption | undefined> {
    const found = await this.#adoptInPlace(() => true);
    if (found === undefined || this.#published === undefined) return undefined;
    try {
      const damage = await this.inspect();
      if (damage !== undefined) await this.#restore(this.#published);
      return { ...found, rewritten: damage !== undefined };
    } catch (error) {
      return { ...found, problem: explainWriteError(error, this.#target) };
    }
  }

  async publish(token: Secret): Promise<'written' | 'unchanged'> {
    const password = token.unwrap();
    assertSize(this.#layout(), this.#target.path, password);
    const content = this.#layout().render(password);
    const swept = await sweepLeftovers(this.#target);
    if (swept > 0) this.#options.onSwept?.(swept);
    const outcome = await publishPassfile(this.#target, content, () => this.#makeWay());
    if (outcome === 'unchanged' && this.#published) {
      // The owner that is remembered stays: if the file's has changed since, that is damage.
      this.#published = { ...this.#published, content };
    } else {
      await this.#remember(content);
      await recordWritten(this.#target, content);
    }
    return outcome;
  }

  async inspect(): Promise<Damage | undefined> {
    return this.#published && (await inspectPassfile(this.#target, this.#published));
  }

  async repair(): Promise<Repair | Superseded | undefined> {
    const damage = await this.inspect();
    const expected = this.#published;
    if (expected === undefined || damage === undefined) return undefined;
    const newer = await this.#adoptInPlace((found) => this.#endsLater(expected, found));
    if (newer !== undefined) return { newer };
    const displacedTo = (await isDirectory(this.#target.path))
      ? await displaceDirectory(this.#target)
      : undefined;
    await this.#makeWay();
    await this.#restore(expected);
    return { damage, ...(displacedTo !== undefined && { displacedTo }) };
  }

  async remove(): Promise<void> {
    const found = await this.#ownership();
    this.#published = undefined;
    const refusal = refusalOf(found, this.#target, false);
    if (refusal !== undefined) throw errorOf(refusal);
    await removePassfile(this.#target);
    await forgetWritten(this.#target);
  }

  #ownership(): Promise<Ownership> {
    return findOwnership(this.#target, this.#layout(), this.#published).catch((error: unknown) => {
      throw explainWriteError(error, this.#target);
    });
  }

  /** Once we have put a file there, the path is ours: a file that others put there is kept, not refused. */
  async #makeWay(): Promise<void> {
    const found = await this.#ownership();
    if (found.kind === 'replaceable') return;
    const { replacesAny = false, onKept } = this.#options;
    const refusal = refusalOf(found, this.#target, replacesAny || this.#published !== undefined);
    if (refusal !== undefined) throw errorOf(refusal);
    const keptAs = await keepForeign(this.#target, found.objection);
    if (keptAs !== undefined && keptAs !== this.#lastKept) onKept?.(keptAs);
    this.#lastKept = keptAs;
  }

  /**
   * Remembers the mode and owner that the file should have, which may not be those that it has: the next
   * inspection finds that.
   */
  async #adoptInPlace(
    isBetter: (found: AdoptedToken) => boolean,
  ): Promise<AdoptedToken | undefined> {
    const inPlace = await readIfLibpqWould(this.#target.path);
    if (inPlace === undefined) return undefined;
    const { content, stats } = inPlace;
    // Later messages may quote a password, even one that is not ours.
    this.#options.secrets?.addInPlace(await inSteps(passwordsIn(content), setImmediate));
    const mayBeOurs = belongsToThisUser(stats) || stats.uid === this.#target.owner?.uid;
    if (!mayBeOurs) return undefined;
    const found = adoptToken(content, stats.mtimeMs, this.#layout(), this.#isWanted);
    if (found === undefined || !isBetter(found)) return undefined;
    const { mode, owner = stats } = this.#target;
    this.#published = { content, mode, owner };
    return found;
  }

  async #restore({ content }: Expected): Promise<void> {
    await replacePassfile(this.#target, content);
    await this.#remember(content);
    await recordWritten(this.#target, content);
  }

  /** With the owner that the file system set, so that without --owner a change of owner is noticed, too. */
  async #remember(content: Buffer): Promise<void> {
    const { path, mode, owner } = this.#target;
    const stats = await lstat(path).catch(() => undefined);
    this.#published = { content, mode, owner: owner ?? stats, file: stats };
  }

  /** False when the end of our token is unknown, so that no other token replaces it. */
  #endsLater({ content }: Expected, { expiresAtMs }: AdoptedToken): boolean {
    const claims = decodeJwtClaims(this.#layout().passwordIn(content) ?? '');
    const ourEndMs = claims && numericDateMs(claims, 'exp');
    return ourEndMs !== undefined && expiresAtMs > ourEndMs;
  }
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
function belongsToThisUser({ uid }: Owner): boolean {
  return uid === process.geteuid?.();
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

/** `undefined` for what libpq would not read as a passfile: there is nothing to adopt. */
async function readIfLibpqWould(path: string): Promise<InPlace | undefined> {
  const inPlace = await readInPlace(path).catch(() => undefined);
  if (inPlace === undefined || isLoose(inPlace.stats)) return undefined;
  return hasTooManyLines(inPlace.content.toString(BYTES)) ? undefined : inPlace;
}
