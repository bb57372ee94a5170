import { constants, type FileHandle, lstat, open } from 'node:fs/promises';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What is to be in place. */
export interface Expected {
  readonly content: Buffer;
  readonly mode: number;
  /** Anybody when absent. */
  readonly owner: Owner | undefined;
}

/** What keeps clients from finding the password: the first thing that is not as it should be. */
export type Damage = 'missing' | 'not-a-file' | 'owner' | 'mode' | 'content';

/** Compares what is at `path` with what is to be there; `undefined` when nothing is wrong. */
export async function inspect(
  path: string,
  { content, mode, owner }: Expected,
): Promise<Damage | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return 'missing';
  if (!stats.isFile()) return 'not-a-file';
  if (!belongsTo(stats, owner)) return 'owner';
  if ((stats.mode & 0o7777) !== mode) return 'mode';
  if (stats.size !== content.length) return 'content';
  const file = await openInPlace(path).catch(() => undefined);
  if (file === undefined) return 'content';
  try {
    return (await file.readFile()).equals(content) ? undefined : 'content';
  } finally {
    await file.close();
  }
}

/** Opens what is at `path` for reading, but neither follows a link nor waits for the writer of a FIFO. */
export function openInPlace(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
}

export function belongsTo({ uid, gid }: Owner, owner: Owner | undefined): boolean {
  return owner === undefined || (uid === owner.uid && gid === owner.gid);
}
