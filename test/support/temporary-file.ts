import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

type Hook = (cleanUp: () => Promise<void>) => void;

/** A file of its own for the current test. */
export async function fileWith(content: string, finished: Hook = onTestFinished): Promise<string> {
  const path = await freePath(finished);
  await writeFile(path, content);
  return path;
}

/** A FIFO that nobody writes to. */
export async function makeFifo(): Promise<string> {
  const path = await freePath(onTestFinished);
  await promisify(execFile)('mkfifo', [path]);
  return path;
}

async function freePath(finished: Hook): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-test-'));
  finished(() => rm(directory, { recursive: true }));
  return join(directory, 'file');
}
