import { randomBytes } from 'node:crypto';
import { lchown, lstat, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { systemErrorCode } from '../support/errors.ts';
import { belongsTo, inspect, type Owner } from './inspect.ts';
import { explainWriteError } from './write-errors.ts';

export interface PassfileTarget {
  readonly path: string;
  /** Without group and world bits: libpq ignores a file that has any. */
  readonly mode: number;
  /** Whom to give the file to; whoever the file system gives it to when absent. */
  readonly owner: Owner | undefined;
}

/**
 * Puts `content` in place, unless the file in place is already right.
 *
 * @throws PgpassdError `passfile.*`; the file in place stays as it was
 */
export async function publishPassfile(
  target: PassfileTarget,
  content: Buffer,
): Promise<'written' | 'unchanged'> {
  if ((await inspect(target.path, { ...target, content })) === undefined) return 'unchanged';
  await replacePassfile(target, content);
  return 'written';
}

/**
 * Puts `content` in place in one rename, so that a reader sees the old file or the new one, whole
 * and never looser than `mode`.
 *
 * write-file-atomic creates the file with its mode, syncs it and cleans up after itself, but it
 * follows a symlink in the target's place, and takes a short write for a whole one. So it fills a file
 * beside the target, under a name nobody can foresee; that file is checked and then renamed by us.
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

/**
 * Removes what an interrupted publication of this passfile left beside it. Returns how many files.
 * What cannot be removed, another user's for one, is in nobody's way.
 */
export async function sweepLeftovers(target: PassfileTarget): Promise<number> {
  const directory = dirname(target.path);
  const prefix = stagingPrefix(target);
  const names = await readdir(directory).catch(() => []);
  const leftovers = names.filter((name) => name.startsWith(prefix));
  const removals = leftovers.map((name) => rm(join(directory, name), { force: true }));
  const outcomes = await Promise.allSettled(removals);
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

async function withStagedFile(
  target: PassfileTarget,
  content: Buffer,
  use: (staged: string) => Promise<void>,
): Promise<void> {
  const name = stagingPrefix(target) + randomBytes(8).toString('hex');
  const staged = join(dirname(target.path), name);
  try {
    await writeFileAtomic(staged, content, { mode: target.mode });
    // Last: root with CAP_CHOWN alone may not set the mode of what belongs to somebody else.
    if (target.owner) await lchown(staged, target.owner.uid, target.owner.gid);
    await checkStaged(staged, target, content);
    await use(staged);
  } finally {
    await rm(staged, { force: true });
  }
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

/** Hidden, and tied to the one passfile: others may keep theirs in the same directory. */
function stagingPrefix({ path }: PassfileTarget): string {
  return `.${basename(path)}.pgpassd-`;
}
