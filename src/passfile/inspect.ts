import type { Stats } from 'node:fs';
import { constants, type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { inSteps } from '../support/clock.ts';
import { systemErrorCode } from '../support/errors.ts';
import { readBounded } from '../support/files.ts';
import { hasTooManyLines, LARGEST_PASSFILE_BYTES } from './format.ts';
import { type Line, parseInSteps } from './lookup.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The owner with a group; our own group where none is given, since `chown` then leaves that. */
export function wholeOwner({
  uid,
  gid,
}: {
  readonly uid: number;
  readonly gid: number | undefined;
}): Owner {
  return { uid, gid: gid ?? process.getgid?.() ?? uid };
}

/** What should be in place. */
export interface Expected {
  readonly content: Buffer;
  readonly mode: number;
  /** `undefined` accepts any owner. */
  readonly owner: Owner | undefined;
  /** The identity of the file, if known, for a file that we may not read. */
  readonly file?: Identity | undefined;
}

/** Changing or replacing a file changes one of these. */
interface Identity {
  readonly ino: number;
  readonly ctimeMs: number;
}

/** What keeps clients from finding the password: the first property that is wrong. */
export type Damage = 'missing' | 'not-a-file' | 'owner' | 'mode' | 'content';

/** Compares what is at `path` with what should be there; `undefined` when nothing is wrong. */
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
 * A link (ELOOP), a socket (ENXIO), or a file that we may not read. Root with CAP_CHOWN alone cannot read
 * a file that it has given to another user, so that only the file's identity can be compared.
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

/** A file in place: its content and facts, from the same open. */
export interface InPlace {
  readonly content: Buffer;
  readonly stats: Stats;
}

/**
 * Reads the whole file at `path`; `undefined` when it is not a regular file, or is larger than any passfile.
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

/** Opens what is at `path` for reading, without waiting for the writer of a FIFO. */
function openInPlace(path: string, links: 'refused' | 'followed' = 'refused'): Promise<FileHandle> {
  const follow = links === 'followed' ? 0 : constants.O_NOFOLLOW;
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK | follow);
}

export function belongsTo({ uid, gid }: Owner, owner: Owner | undefined): boolean {
  return owner === undefined || (uid === owner.uid && gid === owner.gid);
}

/** What is at a passfile's path, as libpq judges it before it reads a line. */
export type FoundPassfile =
  | {
      readonly kind: 'missing';
      /** Whether the path is a link, to a file that does not exist. */
      readonly symlink: boolean;
    }
  /** libpq warns and ignores it. */
  | { readonly kind: 'not-a-file' | 'loose'; readonly file: FileFacts }
  | {
      readonly kind: 'unreadable';
      /** The system's code, such as `EACCES`. libpq ignores such a file silently. */
      readonly code: string;
      /** `undefined` when we cannot even reach it. */
      readonly file: FileFacts | undefined;
    }
  /** Far larger than any passfile. */
  | { readonly kind: 'too-large'; readonly file: FileFacts }
  | { readonly kind: 'lines'; readonly file: FileFacts; readonly lines: readonly Line[] };

/** Facts of the file itself, after following links. */
export interface FileFacts {
  /** The permission bits, such as 0o600. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Whether the path itself is a link. */
  readonly symlink: boolean;
}

/** Whether libpq ignores a file for its mode: it accepts none of the bits of `S_IRWXG | S_IRWXO`. */
export function isLoose({ mode }: Pick<Stats, 'mode'>): boolean {
  return (mode & 0o077) !== 0;
}

/** Reads the passfile at `path` as libpq does. Rejects only for errors that are not the file system's. */
export async function readPassfile(path: string): Promise<FoundPassfile> {
  let symlink = false;
  let file: FileFacts | undefined;
  try {
    symlink = (await lstat(path)).isSymbolicLink();
    // Before the open, since the writer of a FIFO would take us for its reader.
    const stats = await stat(path);
    file = factsOf(stats, symlink);
    return whyLibpqIgnores(stats, file) ?? (await readOpened(path, symlink));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', symlink };
    return { kind: 'unreadable', code, file };
  }
}

/** Checks again what it opened: another file may have been renamed into place. */
async function readOpened(path: string, symlink: boolean): Promise<FoundPassfile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    const file = factsOf(stats, symlink);
    const refused = whyLibpqIgnores(stats, file);
    if (refused !== undefined) return refused;
    const content = (await readBounded(handle, LARGEST_PASSFILE_BYTES))?.toString('utf8');
    if (content === undefined || hasTooManyLines(content)) return { kind: 'too-large', file };
    return { kind: 'lines', file, lines: await inSteps(parseInSteps(content), setImmediate) };
  } finally {
    await handle.close();
  }
}

function factsOf(stats: Stats, symlink: boolean): FileFacts {
  return {
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    sizeBytes: stats.size,
    mtimeMs: stats.mtimeMs,
    symlink,
  };
}

/** Why libpq ignores the file, checked in libpq's order. */
function whyLibpqIgnores(stats: Stats, file: FileFacts): FoundPassfile | undefined {
  if (!stats.isFile()) return { kind: 'not-a-file', file };
  if (isLoose(file)) return { kind: 'loose', file };
  return undefined;
}
