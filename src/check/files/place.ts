import { access, constants, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '../../support/errors.ts';
import { mountOf } from './mountinfo.ts';
import { readMounts } from './mounts.ts';

/**
 * What the system would answer to whoever puts a file of `sizeBytes` in place at `path`, such as
 * `EROFS`; `undefined` when nothing speaks against it. Nothing is written to find out.
 */
export async function foreseeWriteError(
  path: string,
  sizeBytes: number,
): Promise<string | undefined> {
  const directory = dirname(path);
  try {
    if (!(await stat(directory)).isDirectory()) return 'ENOTDIR';
    if (await isMountedAlone(path)) return 'EBUSY';
    await access(directory, constants.W_OK | constants.X_OK);
    const { bavail, bsize, files, ffree } = await statfs(directory);
    const outOfNodes = files > 0 && ffree === 0;
    return outOfNodes || bavail * bsize < sizeBytes ? 'ENOSPC' : undefined;
  } catch (error) {
    return systemErrorCode(error) ?? 'unknown error';
  }
}

/** Whether the file itself is a mount, as `subPath` makes it, so that no rename reaches it. */
export async function isMountedAlone(path: string): Promise<boolean> {
  const directory = await realpath(dirname(path)).catch(() => dirname(path));
  const place = join(directory, basename(path));
  return mountOf(place, await readMounts())?.point === place;
}
