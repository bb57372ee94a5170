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
  /** Leads to the directory itself, also when others move it or put something else in its place. */
  readonly path: string;
  /** When it was made, by the clock of its file system; milliseconds since the epoch. */
  readonly madeAtMs: number;
  /** Removes it with the files in it. */
  remove(): Promise<void>;
}

/** Another user got hold of what we had just made. */
export class Disturbed extends Error {
  override readonly name = 'Disturbed';
}

/**
 * Makes the directory, which no one else may have made before, opens it once and goes by the open one.
 *
 * @throws Disturbed when what is there then is not what was made; what the system says otherwise
 */
export async function makePrivateDirectory(path: string): Promise<PrivateDirectory> {
  await mkdir(path, { mode: 0o700 });
  const opened = await openMade(path);
  try {
    const { uid, mode, mtimeMs } = await opened.handle.stat();
    const made = uid === process.geteuid?.() || uid === (await uidOfNewFiles(path));
    if (!made) throw new Disturbed('it belongs to another user');
    // The umask may have taken our own rights; whatever else it is, it is ours and has to be closed.
    if ((mode & 0o777) !== 0o700) await chmod(opened.path, (mode & 0o7000) | 0o700);
    return { path: opened.path, madeAtMs: mtimeMs, remove: () => removeOpened(opened) };
  } catch (error) {
    await removeOpened(opened);
    throw error;
  }
}

/** What the system says of the way there, as long as what we made is there, says nothing of others: EMFILE, for one. */
async function openMade(path: string): Promise<Opened> {
  try {
    return await openDirectory(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemErrorCode(error) ?? '')) {
      throw new Disturbed('it has gone, or something else is there', { cause: error });
    }
    await isGone(path);
    throw error;
  }
}

/** Removes such a directory, and the files in it, whatever made it. */
export async function removePrivateDirectory(path: string): Promise<void> {
  await removeOpened(await openDirectory(path));
}

interface Opened {
  readonly handle: FileHandle;
  readonly path: string;
  /** Where it was found. */
  readonly name: string;
}

/** Opens a directory for its path alone, also one that we may not read: O_PATH of open(2). */
const O_PATH = process.platform === 'linux' ? 0o10000000 : constants.O_RDONLY;

/** Does not follow a link. Where there is no /proc, what is at the path counts. */
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

/** No further down, and through no link: what is not a file stays, and the directory with it. */
async function removeOpened({ handle, path, name }: Opened): Promise<void> {
  try {
    if (await isGone(name)) return;
    const names = await readdir(path).catch(() => []);
    await Promise.allSettled(names.map((each) => rm(join(path, each), { force: true })));
    // By now it may have another name.
    await isGone(await readlink(path).catch(() => name));
  } finally {
    await handle.close();
  }
}

/** Removes it if it is an empty directory. */
async function isGone(name: string): Promise<boolean> {
  return await rmdir(name).then(
    () => true,
    () => false,
  );
}

/**
 * Whom the file system gives our files to, where that is not us: NFS and SMB may have rules of their own.
 * Asked with a file beside `made`, and named like it, so that an interrupted look is swept as well.
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
