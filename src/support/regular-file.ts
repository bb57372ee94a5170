import { constants, open } from 'node:fs/promises';
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
      const stats = await file.stat();
      if (!stats.isFile()) throw new UnusableFile('is not a regular file');
      if (stats.size > largestBytes) {
        throw new UnusableFile(`is too large (over ${largestBytes / 1024} KiB)`);
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof UnusableFile) throw error;
    throw new UnusableFile(`cannot be read (${systemErrorCode(error) ?? 'unknown error'})`, error);
  }
}
