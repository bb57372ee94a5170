import { randomBytes } from 'node:crypto';
import { lchown, lstat, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { systemErrorCode } from '../support/errors.ts';
import { errorOf } from '../support/failure.ts';
import { directoryDisturbed } from './causes.ts';
import { belongsTo, type Damage, type Expected, inspect, type Owner } from './inspect.ts';
import {
  Disturbed,
  makePrivateDirectory,
  type PrivateDirectory,
  removePrivateDirectory,
} from './private-directory.ts';
import { explainWriteError } from './write-errors.ts';

export interface PassfileTarget {
  readonly path: string;
  /** Without group and world bits: libpq ignores a file that has any. */
  readonly mode: number;
  /** Whom to give the file to; whoever the file system gives it to when absent. */
  readonly owner: Owner | undefined;
}

/**
 * Puts `content` in place, unless the file in place is already right; after `makeWay`, which may refuse.
 *
 * @throws PgpassdError `passfile.*`, and what `makeWay` throws; the file in place stays as it was
 */
export async function publishPassfile(
  target: PassfileTarget,
  content: Buffer,
  makeWay: () => Promise<void> = async () => undefined,
): Promise<'written' | 'unchanged'> {
  if ((await lookAtPassfile(target, { ...target, content })) === undefined) return 'unchanged';
  await makeWay();
  await replacePassfile(target, content);
  return 'written';
}

/**
 * What is wrong with the passfile in place.
 *
 * @throws PgpassdError `passfile.*` when its volume fails
 */
export async function lookAtPassfile(
  target: PassfileTarget,
  expected: Expected,
): Promise<Damage | undefined> {
  return await inspect(target.path, expected).catch((error: unknown) => {
    throw explainWriteError(error, target);
  });
}

/**
 * Puts `content` in place in one rename, so that a reader sees the old file or the new one, whole
 * and never looser than `mode`.
 *
 * write-file-atomic creates the file with its mode, syncs it and cleans up after itself, but it
 * follows a symlink in the target's place, takes a short write for a whole one, and sets the mode by
 * a path on which others could put a link meanwhile. So it fills a file in a directory of our own beside
 * the target, which no other user can enter; that file is checked and then renamed by us.
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
 * Tries the directory for writing as a publication would, short of the rename.
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
 * Takes the passfile away from its clients.
 *
 * @throws PgpassdError `passfile.*`
 */
export async function removePassfile(target: PassfileTarget): Promise<void> {
  await rm(target.path, { force: true }).catch((error: unknown) => {
    throw explainWriteError(error, target);
  });
}

/**
 * Makes room for the passfile where a directory stands: an empty one goes, any other is moved aside.
 * Returns where to.
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

/** A publication takes milliseconds, on a volume that hangs now and then perhaps a minute. */
const LEFT_OVER_MS = 300_000;

/**
 * Removes what interrupted publications of this passfile left beside it, and only what is old enough
 * for that, by the file system's own clock: another pgpassd may be about to publish. Returns how many
 * there were. What cannot be removed, another user's for one, is in nobody's way.
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

/** Whether it was one, and is gone. */
async function removeLeftover(path: string, nowMs: number): Promise<boolean> {
  const stats = await lstat(path);
  // What is from the future was left before the clock was set back.
  if (Math.abs(nowMs - stats.mtimeMs) < LEFT_OVER_MS) return false;
  if (stats.isDirectory()) await removePrivateDirectory(path);
  else await rm(path);
  return (await lstat(path).catch(() => undefined)) === undefined;
}

/** Hands in a file beside the passfile as it is to be published. */
export async function withStagedFile(
  target: PassfileTarget,
  content: Buffer,
  use: (staged: string) => Promise<void>,
): Promise<void> {
  await withStaging(target, async ({ path: directory }) => {
    const staged = join(directory, randomName());
    await writeFileAtomic(staged, content, { mode: target.mode });
    // Last: root with CAP_CHOWN alone may not set the mode of what belongs to somebody else.
    if (target.owner) await lchown(staged, target.owner.uid, target.owner.gid);
    await checkStaged(staged, target, content);
    await use(staged);
  });
}

/** To take a directory away takes speed; three times in a row it is no accident. */
const ATTEMPTS = 3;

/** Hands in a private directory beside the passfile, that is gone afterwards. */
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

/** Whether what was just made has gone, while the directory that it was made in is there. */
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

/** It cannot be foreseen. */
function randomName(): string {
  return randomBytes(8).toString('hex');
}

/** Hidden, and tied to the one passfile: others may keep theirs in the same directory. */
function stagingName(target: PassfileTarget): string {
  return stagingPrefix(target) + randomName();
}

function stagingPrefix({ path }: PassfileTarget): string {
  return `.${basename(path)}.pgpassd-`;
}

/** Earlier releases left files, with such a name or with one that write-file-atomic made of it. */
function isStagingName(name: string, target: PassfileTarget): boolean {
  const prefix = stagingPrefix(target);
  return name.startsWith(prefix) && /^[\da-f]{16}(?:\.\d+)?$/.test(name.slice(prefix.length));
}
