import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the example of a source of its own runs against the built package', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-example-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await build(join(directory, 'pgpassd', 'dist'));
  await cp(join(root, 'package.json'), join(directory, 'pgpassd', 'package.json'));
  await symlink(join(root, 'node_modules'), join(directory, 'pgpassd', 'node_modules'));
  await mkdir(join(directory, 'node_modules'));
  await symlink(join(directory, 'pgpassd'), join(directory, 'node_modules', 'pgpassd'));
  await cp(join(root, 'examples', 'own-source.ts'), join(directory, 'own-source.mts'));

  const volume = join(directory, 'volume');
  await mkdir(volume);
  const passfile = join(volume, 'pgpass');
  const published = appearance(volume, 'pgpass');
  const entry = 'postgresql://app@db.example:5433/shop';
  const child = spawn(process.execPath, ['own-source.mts', passfile, entry], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await Promise.race([published, once(child, 'exit')]);
  const year = new Date().getUTCFullYear();
  expect(await readFile(passfile, 'utf8')).toBe(`db.example:5433:shop:app:token-of-${year}\n`);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

async function build(outDir: string): Promise<void> {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const child = spawn(tsc, ['--project', 'tsconfig.build.json', '--outDir', outDir], { cwd: root });
  expect(await once(child, 'exit')).toEqual([0, null]);
}

async function appearance(directory: string, name: string): Promise<void> {
  for await (const { filename } of watch(directory)) if (filename === name) return;
}
