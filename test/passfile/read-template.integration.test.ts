import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTemplate } from '../../src/passfile/layout.ts';

let path: string;
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'pgpassd-template-')), 'template');
});
afterEach(() => rm(join(path, '..'), { recursive: true }));

test.each<[string, (path: string) => Promise<unknown>, string]>([
  ['a FIFO without a writer', (fifo) => promisify(execFile)('mkfifo', [fifo]), 'regular file'],
  ['a directory', (directory) => mkdir(directory), 'regular file'],
  ['missing', async () => undefined, 'ENOENT'],
  [
    'larger than any passfile',
    async (file) => {
      await writeFile(file, '');
      await truncate(file, 2 ** 30);
    },
    'too large',
  ],
])('a template that is %s is refused at once', async (_case, make, what) => {
  await make(path);
  await expect(readTemplate(path)).rejects.toMatchObject({
    code: 'config.invalid',
    message: expect.stringContaining(what),
  });
});
