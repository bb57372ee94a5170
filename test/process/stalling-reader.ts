import { execFile } from 'node:child_process';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { pause } from '../support/look-until.ts';

/** Reads what a program writes to its standard output, until it stalls. */
export interface StallingReader {
  /** Runs a program whose command line follows. */
  readonly under: readonly string[];
  firstLine(): Promise<string>;
  /** As soon as there is one; the rest stays where it is. */
  firstByte(): Promise<string>;
  /** From then on the program finds no room for anything more. */
  stall(): Promise<void>;
  /** Reads on until the program has ended: everything but what the pipe was filled with. */
  textUntil(ended: Promise<unknown>): Promise<string>;
}

export async function openStallingReader(path: string): Promise<StallingReader> {
  await promisify(execFile)('mkfifo', [path]);
  const pipe = await open(path, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => pipe.close());
  return {
    under: ['sh', '-c', `exec "$0" "$@" > '${path}'`],
    firstLine: async () => {
      let text = '';
      while (!text.includes('\n')) text += await readOn(pipe);
      return text.slice(0, text.indexOf('\n'));
    },
    firstByte: async () => {
      let text = '';
      while (text === '') text = await readOn(pipe, 1);
      return text;
    },
    stall: async () => {
      for (const size of [4096, 1]) await fill(pipe, Buffer.alloc(size));
    },
    textUntil: async (ended) => {
      let text = '';
      let over = false;
      void ended.then(() => {
        over = true;
      });
      while (!over) text += await readOn(pipe);
      return (text + (await readOn(pipe))).replaceAll('\0', '');
    },
  };
}

/** A character for each byte: what is read may end within one of several. */
async function readOn(pipe: FileHandle, mostBytes = 128 * 1024): Promise<string> {
  const read = await pipe.read({ buffer: Buffer.alloc(mostBytes) }).catch(unlessBlocked);
  if (read !== undefined) return read.buffer.toString('latin1', 0, read.bytesRead);
  await pause();
  return '';
}

async function fill(pipe: FileHandle, chunk: Buffer): Promise<void> {
  while ((await pipe.write(chunk).catch(unlessBlocked)) !== undefined);
}

function unlessBlocked(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'EAGAIN') throw error;
}
