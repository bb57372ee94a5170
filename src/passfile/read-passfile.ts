import type { Stats } from 'node:fs';
import { constants, lstat, open, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { systemErrorCode } from '../support/errors.ts';
import { readBounded } from '../support/files.ts';
import { inSteps } from '../support/steps.ts';
import { LARGEST_PASSFILE_BYTES } from './format.ts';
import { type Line, parseInSteps } from './lines.ts';
import { hasTooManyLines } from './raw-lines.ts';

/** What is at a passfile's path, as libpq judges it before it reads a line. */
export type FoundPassfile =
  | {
      readonly kind: 'missing';
      /** Whether there is a link, to nowhere. */
      readonly symlink: boolean;
    }
  /** libpq warns and ignores it. */
  | { readonly kind: 'not-a-file' | 'loose'; readonly file: FileFacts }
  | {
      readonly kind: 'unreadable';
      /** The system's, such as `EACCES`. libpq ignores it without a word. */
      readonly code: string;
      /** Absent when even the way there is closed to us. */
      readonly file: FileFacts | undefined;
    }
  /** Nothing that anybody means for a passfile. */
  | { readonly kind: 'too-large'; readonly file: FileFacts }
  | { readonly kind: 'lines'; readonly file: FileFacts; readonly lines: readonly Line[] };

/** Of the file itself, behind whatever links lead to it. */
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

/** In `S_IRWXG | S_IRWXO` any bit is one too many for libpq. */
const GROUP_AND_WORLD = 0o077;

/** Reads the passfile at `path` with libpq's eyes. Rejects only for what is no answer of the file system. */
export async function readPassfile(path: string): Promise<FoundPassfile> {
  let symlink = false;
  let file: FileFacts | undefined;
  try {
    symlink = (await lstat(path)).isSymbolicLink();
    // Before the open, which the writer of a FIFO would take for a reader's.
    const stats = await stat(path);
    file = factsOf(stats, symlink);
    return refusal(stats, file) ?? (await readOpened(path, symlink));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', symlink };
    return { kind: 'unreadable', code, file };
  }
}

/** Judges again what it reads: another file may have been renamed into place. */
async function readOpened(path: string, symlink: boolean): Promise<FoundPassfile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    const file = factsOf(stats, symlink);
    const refused = refusal(stats, file);
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

/** In libpq's order. */
function refusal(stats: Stats, file: FileFacts): FoundPassfile | undefined {
  if (!stats.isFile()) return { kind: 'not-a-file', file };
  if ((file.mode & GROUP_AND_WORLD) !== 0) return { kind: 'loose', file };
  return undefined;
}
