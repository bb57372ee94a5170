import { randomInt } from 'node:crypto';
import {
  chmod,
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readlink,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../support/errors.ts';

/** A directory that no other user can enter, in a place where others may write. */
export interface PrivateDirectory {
  /** Leads to the directory itself, even if others move it or put something else in its place. */
  readonly path: string;
  /** When it was made, by the clock of its file system; milliseconds since the epoch. */
  readonly madeAtMs: number;
  /** Removes it with the files in it. */
  remove(): Promise<void>;
}

/** Another user interfered with the directory that we had just made. */
export class Disturbed extends Error {
  override readonly name = 'Disturbed';
}

/**
 * Makes the directory, which must not exist yet, opens it once and uses only the open one.
 *
 * @throws Disturbed when what it opened is not what it made; otherwise the system's error
 */
export async function makePrivateDirectory(path: string): Promise<PrivateDirectory> {
  await mkdir(path, { mode: 0o700 });
  const opened = await openMade(path);
  try {
    const { uid, mode, mtimeMs } = await opened.handle.stat();
    const made = uid === process.geteuid?.() || uid === (await uidOfNewFiles(path));
    if (!made) throw new Disturbed('it belongs to another user');
    // The umask may have removed our own permissions, and an ACL may have added some for others.
    if ((mode & 0o777) !== 0o700) await chmod(opened.path, (mode & 0o7000) | 0o700);
    return { path: opened.path, madeAtMs: mtimeMs, remove: () => removeOpened(opened) };
  } catch (error) {
    await removeOpened(opened);
    throw error;
  }
}

/** Only an error that shows our directory to be gone means interference; EMFILE, for example, does not. */
async function openMade(path: string): Promise<Opened> {
  try {
    return await openDirectory(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemErrorCode(error) ?? '')) {
      throw new Disturbed('it is gone, or something else is in its place', { cause: error });
    }
    await removeEmpty(path);
    throw error;
  }
}

/** Removes such a directory and the files in it, even if another process made it. */
export async function removePrivateDirectory(path: string): Promise<void> {
  await removeOpened(await openDirectory(path));
}

interface Opened {
  readonly handle: FileHandle;
  readonly path: string;
  /** The path at which it was opened. */
  readonly name: string;
}

/** Opens a directory only as a location, which works without read permission: O_PATH of open(2). */
const O_PATH = process.platform === 'linux' ? 0o10000000 : constants.O_RDONLY;

/** Does not follow a link. Without /proc, the returned path is `name` itself. */
async function openDirectory(name: string): Promise<Opened> {
  const handle = await open(name, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const pinned = `/proc/self/fd/${handle.fd}`;
    const [itself, found] = await Promise.all([handle.stat(), stat(pinned).catch(() => undefined)]);
    const isPinned = found?.ino === itself.ino && found.dev === itself.dev;
    return { handle, path: isPinned ? pinned : name, name };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Not recursive, and follows no link: anything that is not a file stays, and so does the directory. */
async function removeOpened({ handle, path, name }: Opened): Promise<void> {
  try {
    if (await removeEmpty(name)) return;
    const names = await readdir(path).catch(() => []);
    await Promise.allSettled(names.map((each) => rm(join(path, each), { force: true })));
    // It may have been renamed meanwhile.
    await removeEmpty(await readlink(path).catch(() => name));
  } finally {
    await handle.close();
  }
}

/** Removes an empty directory; returns whether that worked. */
async function removeEmpty(name: string): Promise<boolean> {
  return await rmdir(name).then(
    () => true,
    () => false,
  );
}

/**
 * The user to whom the file system gives our files: NFS and SMB may map users. Creates a file beside `made`
 * to find out, named like it, so that a leftover is swept as well.
 */
async function uidOfNewFiles(made: string): Promise<number> {
  const path = `${made}.${randomInt(2 ** 47)}`;
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const file = await open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600);
  try {
    return (await file.stat()).uid;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}
