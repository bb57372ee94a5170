import { access, constants, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { NumericOwner } from '../../config/values.ts';
import { systemErrorCode } from '../../support/errors.ts';
import { isFrozen, mountOf } from './mountinfo.ts';
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
    if (await isMounted(path)) return (await isDirectory(path)) ? 'EISDIR' : 'EBUSY';
    await access(directory, constants.W_OK | constants.X_OK);
    const { blocks, bavail, bsize, files, ffree } = await statfs(directory);
    const outOfNodes = files > 0 && ffree === 0;
    // Without blocks it has no limit, as a tmpfs of size=0.
    const outOfRoom = blocks > 0 && bavail * bsize < sizeBytes;
    return outOfNodes || outOfRoom ? 'ENOSPC' : undefined;
  } catch (error) {
    return systemErrorCode(error) ?? 'unknown error';
  }
}

/** Whether the file was mounted by itself, as `subPath` does it, so that it never changes. */
export async function neverChanges(path: string): Promise<boolean> {
  if (await isDirectory(path)) return false;
  return isFrozen(await withoutLinks(path), await readMounts());
}

/** Whether something is mounted at the very path, so that no rename reaches it. */
async function isMounted(path: string): Promise<boolean> {
  const place = join(await withoutLinks(dirname(path)), basename(path));
  return mountOf(place, await readMounts())?.point === place;
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

/** Where the links on the way lead; of what is not there, where its directory is. */
export async function withoutLinks(path: string): Promise<string> {
  const directory = () => realpath(dirname(path)).catch(() => dirname(path));
  return realpath(path).catch(async () => join(await directory(), basename(path)));
}

/** Of the capabilities in `CapEff`: https://man7.org/linux/man-pages/man7/capabilities.7.html */
const CAP_CHOWN = 1n << 0n;

/** Whether a file of ours may be given to `owner`; yes where the system does not tell. */
export async function mayGiveAway({ uid, gid }: NumericOwner): Promise<boolean> {
  const groups = [process.getgid?.(), ...(process.getgroups?.() ?? [])];
  if (uid === process.getuid?.() && (gid === undefined || groups.includes(gid))) return true;
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const [, capabilities] = /^CapEff:\s*([\da-f]+)$/m.exec(status) ?? [];
  return capabilities === undefined || (BigInt(`0x${capabilities}`) & CAP_CHOWN) !== 0n;
}
