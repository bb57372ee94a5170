import { constants, type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemErrorCode } from './errors.ts';

/**
 * Why a file was not read: `message` is the end of a sentence that begins with the file's name, and
 * `code` the system's, such as `ENOENT`, if it was the system that refused.
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
 * The bytes of a file, read whole in one open, so that a swap in between is never seen half.
 *
 * @throws UnusableFile when it is no regular file, is larger than that, or cannot be read
 */
export async function readRegularFile(path: string, largestBytes: number): Promise<Buffer> {
  try {
    // Without O_NONBLOCK a FIFO would hold us until somebody writes to it.
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

/** One read of most files, and few of the largest. */
const PIECE_BYTES = 64 * 1024;

/**
 * What is in an open file, or `undefined` when that is more than `largestBytes`. It is counted while
 * it is read: a file of /proc says that it is empty, however much it gives, and another may grow.
 */
export async function readBounded(
  file: FileHandle,
  largestBytes: number,
): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  for (let length = 0; length <= largestBytes; ) {
    // Whole pieces: files of /proc may insist on multiples of something.
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
    if (bytesRead === 0) return Buffer.concat(pieces, length);
    pieces.push(piece.subarray(0, bytesRead));
    length += bytesRead;
  }
  return undefined;
}

/** Whether both paths lead to one file, be it by links, by hard links, or where there is none yet. */
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
  const absolute = resolve(path);
  const stats = await stat(absolute).catch(() => undefined);
  const directory = await realpath(dirname(absolute)).catch(() => dirname(absolute));
  const place = await realpath(absolute).catch(() => join(directory, basename(absolute)));
  return { place, ino: stats?.ino, dev: stats?.dev };
}
