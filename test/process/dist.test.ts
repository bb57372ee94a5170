import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPgpassd } from '../support/pgpassd-process.ts';
import { openWorkload, passfileWith } from './workload.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as {
  version: string;
  bin: { pgpassd: string };
};

const done = { code: 0, signal: null };

describe('the built program', () => {
  let root = '';
  let entry = '';

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'pgpassd-dist-'));
    entry = join(root, manifest.bin.pgpassd);
    const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    const args = [compiler, '--project', join(project, 'tsconfig.build.json')];
    await promisify(execFile)(process.execPath, [...args, '--outDir', join(root, 'dist')]);
    await copyFile(join(project, 'package.json'), join(root, 'package.json'));
    await symlink(join(project, 'node_modules'), join(root, 'node_modules'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test('tells its version', async () => {
    const pgpassd = startPgpassd({ entry, args: ['--version'], env: {} });
    expect(await pgpassd.exited).toEqual(done);
    expect(pgpassd.output()).toBe(`${manifest.version}\n`);
  });

  test('helps without any configuration', async () => {
    const pgpassd = startPgpassd({ entry, args: ['--help'], env: {} });
    expect(await pgpassd.exited).toEqual(done);
    expect(pgpassd.output()).toContain('Usage: pgpassd [COMMAND]');
    expect(pgpassd.output()).toContain('--federated-token-file');
    expect(pgpassd.errors()).toBe('');
  });

  test('names its interpreter, as npm links it', async () => {
    expect((await readFile(entry, 'utf8')).split('\n')[0]).toBe('#!/usr/bin/env node');
  });

  test('fills the passfile once', async () => {
    const { entra, passfile, start } = await openWorkload();
    const pgpassd = start(['once'], { entry });
    expect(await pgpassd.exited, pgpassd.output()).toEqual(done);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
  });

  test('runs until it is stopped', async () => {
    const { start } = await openWorkload();
    const pgpassd = start(['run'], { entry });
    await pgpassd.waitFor('token.refreshed');
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual(done);
  });
});
