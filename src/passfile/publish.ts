import { randomBytes } from 'node:crypto';
import { lchown, lstat, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { errorOf, systemErrorCode } from '../support/errors.ts';
import { belongsTo, type Damage, type Expected, inspect, type Owner } from './inspect.ts';
import { directoryDisturbed, explainWriteError } from './messages.ts';
import {
  Disturbed,
  makePrivateDirectory,
  type PrivateDirectory,
  removePrivateDirectory,
} from './private-directory.ts';

export interface PassfileTarget {
  readonly path: string;
  /** Without group and world bits: libpq ignores a file that has any. */
  readonly mode: number;
  /** The owner to set; `undefined` leaves the one that the file system sets. */
  readonly owner: Owner | undefined;
}

/**
 * Puts `content` in place unless the file in place is already right. Calls `makeWay` first, which may refuse.
 *
 * @throws PgpassdError `passfile.*`, and what `makeWay` throws; the file in place stays as it was
 */
export async function publishPassfile(
  target: PassfileTarget,
  content: Buffer,
  makeWay: () => Promise<void> = async () => undefined,
): Promise<'written' | 'unchanged'> {
  if ((await inspectPassfile(target, { ...target, content })) === undefined) return 'unchanged';
  await makeWay();
  await replacePassfile(target, content);
  return 'written';
}

/**
 * What is wrong with the passfile in place.
 *
 * @throws PgpassdError `passfile.*` when its volume fails
 */
export async function inspectPassfile(
  target: PassfileTarget,
  expected: Expected,
): Promise<Damage | undefined> {
  return await inspect(target.path, expected).catch((error: unknown) => {
    throw explainWriteError(error, target);
  });
}

/**
 * Puts `content` in place with one rename, so that a reader sees the complete old file or the complete
 * new one, and never with more permissions than `mode`.
 *
 * write-file-atomic creates the file with its mode, syncs it and cleans up after itself, but it
 * follows a symlink in the target's place, takes a short write for a complete one, and sets the mode by
 * path, where others could put a link meanwhile. So it writes a file in a directory of our own beside
 * the target, which no other user can enter; we check that file and rename it.
 *
 * @throws PgpassdError `passfile.*`; the file in place stays as it was
 */
export async function replacePassfile(target: PassfileTarget, content: Buffer): Promise<void> {
  try {
    await withStagedFile(target, content, (staged) => rename(staged, target.path));
  } catch (error) {
    throw explainWriteError(error, target);
  }
}

/**
 * Tests whether the directory is writable: all steps of a publication but the rename.
 *
 * @throws PgpassdError `passfile.*`
 */
export async function tryDirectory(target: PassfileTarget): Promise<void> {
  try {
    await withStagedFile(target, Buffer.alloc(0), async () => {
      const inPlace = await lstat(target.path).catch(() => undefined);
      if (inPlace?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    });
  } catch (error) {
    throw explainWriteError(error, target);
  }
}

/**
 * Removes the passfile.
 *
 * @throws PgpassdError `passfile.*`
 */
export async function removePassfile(target: PassfileTarget): Promise<void> {
  await rm(target.path, { force: true }).catch((error: unknown) => {
    throw explainWriteError(error, target);
  });
}

/**
 * Makes room for the passfile where there is a directory: removes an empty one, moves any other aside.
 * Returns the new path of the latter.
 *
 * @throws PgpassdError `passfile.*`
 */
export async function displaceDirectory(target: PassfileTarget): Promise<string | undefined> {
  try {
    await rmdir(target.path);
    return undefined;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOTEMPTY') throw explainWriteError(error, target);
  }
  const aside = `${target.path}.displaced-${randomBytes(4).toString('hex')}`;
  await rename(target.path, aside).catch((error: unknown) => {
    throw explainWriteError(error, target);
  });
  return aside;
}

/** A publication takes milliseconds, or perhaps a minute on a volume that hangs at times. */
const LEFT_OVER_MS = 300_000;

/**
 * Removes what interrupted publications of this passfile left beside it. By the clock of the file system
 * it must be old enough, since another pgpassd may be publishing now. Returns how many were removed. What
 * cannot be removed, such as another user's file, does no harm.
 */
export async function sweepLeftovers(target: PassfileTarget): Promise<number> {
  const directory = dirname(target.path);
  const leftovers = (await readdir(directory).catch(() => [])).filter((name) =>
    isStagingName(name, target),
  );
  if (leftovers.length === 0) return 0;
  const nowMs = await withStaging(target, async ({ madeAtMs }) => madeAtMs).catch(() => undefined);
  if (nowMs === undefined) return 0;
  const removals = leftovers.map((name) => removeLeftover(join(directory, name), nowMs));
  const outcomes = await Promise.allSettled(removals);
  return outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length;
}

/** Whether it was a leftover and is gone. */
async function removeLeftover(path: string, nowMs: number): Promise<boolean> {
  const stats = await lstat(path);
  // A time in the future means that the clock was set back since.
  if (Math.abs(nowMs - stats.mtimeMs) < LEFT_OVER_MS) return false;
  if (stats.isDirectory()) await removePrivateDirectory(path);
  else await rm(path);
  return (await lstat(path).catch(() => undefined)) === undefined;
}

/** Calls `use` with a file beside the passfile that is ready to be renamed over it. */
export async function withStagedFile(
  target: PassfileTarget,
  content: Buffer,
  use: (staged: string) => Promise<void>,
): Promise<void> {
  await withStaging(target, async ({ path: directory }) => {
    const staged = join(directory, randomName());
    await writeFileAtomic(staged, content, { mode: target.mode });
    // Last, since root with CAP_CHOWN alone may not set the mode of another user's file.
    if (target.owner) await lchown(staged, target.owner.uid, target.owner.gid);
    await checkStaged(staged, target, content);
    await use(staged);
  });
}

/** Removing our directory in the moment after we made it takes speed; three times in a row it is intent. */
const ATTEMPTS = 3;

/** Calls `use` with a private directory beside the passfile, and removes it afterwards. */
async function withStaging<T>(
  target: PassfileTarget,
  use: (directory: PrivateDirectory) => Promise<T>,
): Promise<T> {
  const beside = dirname(target.path);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const directory = await makePrivateDirectory(join(beside, stagingName(target)));
      try {
        return await use(directory);
      } finally {
        await directory.remove();
      }
    } catch (error) {
      if (!(await wasDisturbed(error, beside))) throw error;
      if (attempt === ATTEMPTS) {
        throw errorOf(directoryDisturbed({ path: target.path, directory: beside }), {
          cause: error,
        });
      }
    }
  }
}

/** Whether what we had just made is gone while its parent directory still exists. */
async function wasDisturbed(error: unknown, beside: string): Promise<boolean> {
  if (error instanceof Disturbed) return true;
  if (systemErrorCode(error) !== 'ENOENT') return false;
  return await stat(beside).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function checkStaged(staged: string, target: PassfileTarget, content: Buffer): Promise<void> {
  const stats = await lstat(staged);
  if (stats.size !== content.length) {
    throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
  }
  if ((stats.mode & 0o7777) !== target.mode) {
    throw Object.assign(new Error('mode unchanged'), { code: 'EPERM', syscall: 'chmod' });
  }
  if (!belongsTo(stats, target.owner)) {
    throw Object.assign(new Error('owner unchanged'), { code: 'EPERM', syscall: 'lchown' });
  }
}

/** Not predictable by other users. */
function randomName(): string {
  return randomBytes(8).toString('hex');
}

/** Hidden, and specific to one passfile, since others may be in the same directory. */
function stagingName(target: PassfileTarget): string {
  return stagingPrefix(target) + randomName();
}

function stagingPrefix({ path }: PassfileTarget): string {
  return `.${basename(path)}.pgpassd-`;
}

/** Earlier releases left files with such a name, or with one that write-file-atomic derived from it. */
function isStagingName(name: string, target: PassfileTarget): boolean {
  const prefix = stagingPrefix(target);
  return name.startsWith(prefix) && /^[\da-f]{16}(?:\.\d+)?$/.test(name.slice(prefix.length));
}
