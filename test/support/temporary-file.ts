import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished as globalOnTestFinished } from 'vitest';
import type { OnTestFinished } from './clean-up.ts';

/** A file of its own for the current test; a concurrent one has to hand in the hook of its context. */
export async function fileWith(content: string, onTestFinished?: OnTestFinished): Promise<string> {
  const path = await freePath(onTestFinished);
  await writeFile(path, content);
  return path;
}

/** A FIFO without a writer. */
export async function makeFifo(): Promise<string> {
  const path = await freePath();
  await promisify(execFile)('mkfifo', [path]);
  return path;
}

async function freePath(onTestFinished: OnTestFinished = globalOnTestFinished): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, 'file');
}
