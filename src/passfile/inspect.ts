import type { Stats } from 'node:fs';
import { constants, type FileHandle, lstat, open } from 'node:fs/promises';
import { systemErrorCode } from '../support/errors.ts';
import { readBounded } from '../support/files.ts';
import { LARGEST_PASSFILE_BYTES } from './format.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The owner with a group: our own unless another is said, as `chown` leaves it. */
export function wholeOwner({
  uid,
  gid,
}: {
  readonly uid: number;
  readonly gid: number | undefined;
}): Owner {
  return { uid, gid: gid ?? process.getgid?.() ?? uid };
}

/** What is to be in place. */
export interface Expected {
  readonly content: Buffer;
  readonly mode: number;
  /** Anybody when absent. */
  readonly owner: Owner | undefined;
  /** The very file, as far as it is known, for when it may not be read. */
  readonly file?: Identity | undefined;
}

/** Nobody changes a file, or puts another in its place, without changing one of these. */
interface Identity {
  readonly ino: number;
  readonly ctimeMs: number;
}

/** What keeps clients from finding the password: the first thing that is not as it should be. */
export type Damage = 'missing' | 'not-a-file' | 'owner' | 'mode' | 'content';

/** Compares what is at `path` with what is to be there; `undefined` when nothing is wrong. */
export async function inspect(path: string, expected: Expected): Promise<Damage | undefined> {
  let file: FileHandle;
  try {
    file = await openInPlace(path);
  } catch (error) {
    return await whyUnopened(path, expected, systemErrorCode(error));
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return 'not-a-file';
    if (!belongsTo(stats, expected.owner)) return 'owner';
    if ((stats.mode & 0o7777) !== expected.mode) return 'mode';
    const content = await readBounded(file, expected.content.length);
    return content?.equals(expected.content) ? undefined : 'content';
  } finally {
    await file.close();
  }
}

/**
 * A link (ELOOP), a socket (ENXIO), or a file that we may not read: somebody made it so, or it was
 * given to its owner by root with CAP_CHOWN alone, who then can only tell whether it is still the same.
 */
async function whyUnopened(
  path: string,
  { owner, mode, file }: Expected,
  code: string | undefined,
): Promise<Damage | undefined> {
  if (code === 'ELOOP' || code === 'ENXIO') return 'not-a-file';
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return 'missing';
  if (!stats.isFile()) return 'not-a-file';
  if (!belongsTo(stats, owner)) return 'owner';
  if ((stats.mode & 0o7777) !== mode) return 'mode';
  return stats.ino === file?.ino && stats.ctimeMs === file.ctimeMs ? undefined : 'content';
}

/** A file in place, and what was read of it in the same open. */
export interface InPlace {
  readonly content: Buffer;
  readonly stats: Stats;
}

/**
 * Reads the file at `path` whole; `undefined` when it is no regular file, or larger than any passfile.
 * Rejects with the system's error.
 */
export async function readInPlace(
  path: string,
  links: 'refused' | 'followed' = 'refused',
): Promise<InPlace | undefined> {
  const file = await openInPlace(path, links);
  try {
    const stats = await file.stat();
    const content = stats.isFile() ? await readBounded(file, LARGEST_PASSFILE_BYTES) : undefined;
    return content && { content, stats };
  } finally {
    await file.close();
  }
}

/** Opens what is at `path` for reading, but does not wait for the writer of a FIFO. */
function openInPlace(path: string, links: 'refused' | 'followed' = 'refused'): Promise<FileHandle> {
  const follow = links === 'followed' ? 0 : constants.O_NOFOLLOW;
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK | follow);
}

export function belongsTo({ uid, gid }: Owner, owner: Owner | undefined): boolean {
  return owner === undefined || (uid === owner.uid && gid === owner.gid);
}
