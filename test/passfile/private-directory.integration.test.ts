import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { makePrivateDirectory } from '../../src/passfile/private-directory.ts';

async function openVolume(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-private-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test.each([0, 1])(
  'a process that can open no more than %i files blames no other user, and leaves nothing behind',
  async (free) => {
    const directory = await openVolume();
    const script = fileURLToPath(new URL('./short-of-files.ts', import.meta.url));
    const { stdout } = await promisify(execFile)('/bin/sh', [
      ...['-c', 'ulimit -n 64 && exec "$@"', 'sh', process.execPath, script],
      ...[join(directory, 'pgpass'), String(free)],
    ]);
    expect(JSON.parse(stdout)).toEqual({
      outcome: { code: 'passfile.unavailable', message: expect.stringContaining('(EMFILE)') },
      names: [],
    });
  },
);

test('a directory that cannot be made is what the system says', async () => {
  const directory = await openVolume();
  await expect(makePrivateDirectory(join(directory, 'a', 'b'))).rejects.toMatchObject({
    code: 'ENOENT',
  });
  expect(await readdir(directory)).toEqual([]);
});
