import { constants, type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemErrorCode } from './errors.ts';

/**
 * Why a file was not read: `message` is the end of a sentence that begins with the file's name, and
 * `code` is the system's, such as `ENOENT`, if the system refused.
 */
export class UnusableFile extends Error {
  override readonly name = 'UnusableFile';
  readonly code: string | undefined;

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.code = systemErrorCode(cause);
  }
}

/**
 * The bytes of a file, all read through one open, so that a swap never mixes two files.
 *
 * @throws UnusableFile when it is not a regular file, is larger than `largestBytes`, or cannot be read
 */
export async function readRegularFile(path: string, largestBytes: number): Promise<Buffer> {
  try {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) throw new UnusableFile('is not a regular file');
      const content = await readBounded(file, largestBytes);
      if (content !== undefined) return content;
      throw new UnusableFile(`is too large (over ${largestBytes / 1024} KiB)`);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UnusableFile) throw error;
    throw new UnusableFile(`cannot be read (${systemErrorCode(error) ?? 'unknown error'})`, error);
  }
}

/** Most files take one read, the largest a few. */
const PIECE_BYTES = 64 * 1024;

/**
 * The content of an open file, or `undefined` when it exceeds `largestBytes`. Counted while reading,
 * since files in /proc report a size of 0, and other files may grow.
 */
export async function readBounded(
  file: FileHandle,
  largestBytes: number,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  for (let length = 0; length <= largestBytes; ) {
    // Always a whole piece: some files in /proc accept only multiples of a record's size.
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
    if (bytesRead === 0) return Buffer.concat(pieces, length);
    pieces.push(piece.subarray(0, bytesRead));
    length += bytesRead;
  }
  return undefined;
}

/** Whether the path leads to a directory; not where the system does not say. */
export async function isDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

/** Whether both paths lead to one file: through symbolic or hard links, or to the same place where no file is yet. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map(lookAt));
  if (first === undefined || second === undefined) return false;
  if (first.place === second.place) return true;
  return first.ino !== undefined && first.ino === second.ino && first.dev === second.dev;
}

/** The first of `files` that is the file at `path`. */
export async function firstSameFile<F extends { readonly path: string }>(
  path: string,
  files: readonly F[],
): Promise<F | undefined> {
  for (const file of files) if (await isSameFile(path, file.path)) return file;
  return undefined;
}

async function lookAt(path: string) {
  const stats = await stat(path).catch(() => undefined);
  return { place: await withoutLinks(path), ino: stats?.ino, dev: stats?.dev };
}

/** The absolute path with its links resolved; for a missing file, with those of its directory. */
export async function withoutLinks(path: string): Promise<string> {
  const absolute = resolve(path);
  return await realpath(absolute).catch(async () => {
    const directory = await realpath(dirname(absolute)).catch(() => dirname(absolute));
    return join(directory, basename(absolute));
  });
}
