import { access, constants, lstat, open, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Environment } from '../../config/option.ts';
import type { NumericOwner } from '../../config/values.ts';
import { type FoundPassfile, readPassfile } from '../../passfile/inspect.ts';
import { systemErrorCode } from '../../support/errors.ts';
import { watchableDirectory } from '../../support/file-watcher.ts';
import { isFrozen, type Mount, mountOf, parseMountinfo } from './mountinfo.ts';

/** The passfile as a client finds it. */
export interface PassfileAt {
  /** Absolute. */
  readonly path: string;
  readonly found: FoundPassfile;
}

/** `undefined` when no setting names one. */
export async function findPassfile(setting: string | undefined): Promise<PassfileAt | undefined> {
  if (setting === undefined) return undefined;
  const path = resolve(setting);
  return { path, found: await readPassfile(path) };
}

/** Where a client looks when no setting names a passfile; `undefined` when it has no home either. */
export function defaultPassfile({ HOME }: Environment): string | undefined {
  return HOME ? `${HOME}/.pgpass` : undefined;
}

/** Whether both names lead to the same place: /var/run is usually a link to /run. */
export async function isSamePath(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all(
    [one, other].map((path) => withoutLinks(resolve(path))),
  );
  return first === second;
}

/** How the file of a federated token is mounted. */
export interface TokenFile {
  /** Absolute. */
  readonly path: string;
  /**
   * `flat`: a link into the volume's `..data`. `nested`: below a directory that is one. `plain`: not in
   * a volume of kubelet's. `frozen`: a mount of its own, as `subPath` makes it; it never changes.
   */
  readonly layout: 'flat' | 'nested' | 'plain' | 'frozen';
  /** By our wall clock, in milliseconds since the epoch; absent when it is unknown. */
  readonly modifiedMs: number | undefined;
}

/** Inspects the file, which need not exist. Never rejects. */
export async function inspectTokenFile(file: string): Promise<TokenFile> {
  const path = resolve(file);
  const stats = await stat(path).catch(() => undefined);
  return { path, layout: await layoutOf(path), modifiedMs: stats?.mtimeMs };
}

async function layoutOf(path: string): Promise<TokenFile['layout']> {
  if (isFrozen(await withoutLinks(path), await readMounts())) return 'frozen';
  const directory = await watchableDirectory(path);
  const data = await lstat(join(directory, '..data')).catch(() => undefined);
  if (!data?.isSymbolicLink()) return 'plain';
  return directory === dirname(path) ? 'flat' : 'nested';
}

/**
 * The error that putting a file of `sizeBytes` in place at `path` would fail with, such as `EROFS`;
 * `undefined` when none is foreseen. Writes nothing to find out.
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
    // A file system without blocks has no limit, such as a tmpfs of size=0.
    const outOfRoom = blocks > 0 && bavail * bsize < sizeBytes;
    return outOfNodes || outOfRoom ? 'ENOSPC' : undefined;
  } catch (error) {
    return systemErrorCode(error) ?? 'unknown error';
  }
}

/** Whether the file is a mount of its own, as `subPath` makes it, so that it never changes. */
export async function neverChanges(path: string): Promise<boolean> {
  if (await isDirectory(path)) return false;
  return isFrozen(await withoutLinks(path), await readMounts());
}

/** Whether something is mounted at exactly this path, so that no rename can replace it. */
async function isMounted(path: string): Promise<boolean> {
  const place = join(await withoutLinks(dirname(path)), basename(path));
  return mountOf(place, await readMounts())?.point === place;
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

/** The path with its links resolved; for a missing file, with those of its directory. */
async function withoutLinks(path: string): Promise<string> {
  const directory = () => realpath(dirname(path)).catch(() => dirname(path));
  return realpath(path).catch(async () => join(await directory(), basename(path)));
}

/** A bit of `CapEff`: https://man7.org/linux/man-pages/man7/capabilities.7.html */
const CAP_CHOWN = 1n << 0n;

/** Whether this process may give a file to `owner`; assumed where the system does not say. */
export async function mayGiveAway({ uid, gid }: NumericOwner): Promise<boolean> {
  const groups = [process.getgid?.(), ...(process.getgroups?.() ?? [])];
  if (uid === process.getuid?.() && (gid === undefined || groups.includes(gid))) return true;
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const [, capabilities] = /^CapEff:\s*([\da-f]+)$/m.exec(status) ?? [];
  return capabilities === undefined || (BigInt(`0x${capabilities}`) & CAP_CHOWN) !== 0n;
}

/** A mount takes a few hundred bytes; no container has thousands of them. */
const LARGEST_TABLE_BYTES = 1024 * 1024;

/** The mounts of our own mount namespace; none where the system does not say. */
async function readMounts(): Promise<readonly Mount[]> {
  try {
    const file = await open('/proc/self/mountinfo', constants.O_RDONLY);
    try {
      return parseMountinfo(await beginningOf(file));
    } finally {
      await file.close();
    }
  } catch {
    return [];
  }
}

/** Files in /proc have no size and are read piece by piece. */
async function beginningOf(file: Awaited<ReturnType<typeof open>>): Promise<string> {
  const table = Buffer.alloc(LARGEST_TABLE_BYTES);
  let length = 0;
  while (length < table.length) {
    const { bytesRead } = await file.read(table, length, table.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return table.toString('utf8', 0, length);
}
