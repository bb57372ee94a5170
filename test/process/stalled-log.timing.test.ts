import { execFile } from 'node:child_process';
import { constants, type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openWorkload, passfileWith } from './workload.ts';

/** A pipe that takes nothing more, since nobody reads it. */
async function fullPipe(path: string): Promise<void> {
  await promisify(execFile)('mkfifo', [path]);
  const pipe = await open(path, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => pipe.close());
  for (const size of [4096, 1]) await fill(pipe, Buffer.alloc(size));
}

async function fill(pipe: FileHandle, chunk: Buffer): Promise<void> {
  const written = await pipe.write(chunk).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EAGAIN') throw error;
  });
  if (written !== undefined) await fill(pipe, chunk);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await setImmediate();
}

test('a reader of the log who stalls keeps neither the passfile from being renewed nor the process from ending', async () => {
  const { entra, directory, passfile, start } = await openWorkload();
  const pipe = join(directory, 'log');
  await fullPipe(pipe);
  const pgpassd = start(['run'], { under: ['sh', '-c', `exec "$0" "$@" > '${pipe}'`] });
  const holds = async (number: number) => {
    const content = await readFile(passfile, 'utf8').catch(() => '');
    return entra.issued.length > number && content === passfileWith(entra.issued[number]);
  };
  await until(() => holds(0));
  pgpassd.signal('SIGHUP');
  await until(() => holds(1));
  const stoppedAt = performance.now();
  pgpassd.signal('SIGTERM');
  expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - stoppedAt).toBeLessThan(1000);
});
