import { execFile, spawnSync } from 'node:child_process';
import { copyFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyUnsupported } from '../../src/version.ts';
import { startPgpassd } from '../support/pgpassd-process.ts';
import { openWorkload, passfileWith, sentencesOf } from './workload.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as {
  version: string;
  bin: { pgpassd: string };
  engines: { node: string };
};

const done = { code: 0, signal: null };

const commandLines = [
  [],
  ['run'],
  ['wait', '--', 'echo', 'followed'],
  ['--version'],
  ['no-such-command'],
];

/** A Node.js along PATH that is older than what we ask for, with its version. */
function findOldNode(): { readonly path: string; readonly version: string } | undefined {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'node');
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim().slice(1);
    const isOld = version && whyUnsupported(version, manifest.engines.node) !== undefined;
    if (isOld) return { path, version };
  }
  return undefined;
}

const oldNode = findOldNode();
if (oldNode === undefined) console.warn('not run by an old Node.js: there is none along PATH');

describe('the built program', () => {
  let root = '';
  let entry = '';
  /** The same, but for the releases of Node.js that it asks for. */
  let entryForYounger = '';

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'pgpassd-dist-'));
    entry = join(root, manifest.bin.pgpassd);
    const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    // The check of the types is another command's.
    const args = [compiler, '--noCheck', '--project', join(project, 'tsconfig.build.json')];
    await promisify(execFile)(process.execPath, [...args, '--outDir', join(root, 'dist')]);
    await copyFile(join(project, 'package.json'), join(root, 'package.json'));
    await symlink(join(project, 'node_modules'), join(root, 'node_modules'));

    const younger = join(root, 'younger');
    await cp(join(root, 'dist'), join(younger, 'dist'), { recursive: true });
    const engines = { node: '^97.1.0 || >=98.0.0' };
    await writeFile(join(younger, 'package.json'), JSON.stringify({ ...manifest, engines }));
    entryForYounger = join(younger, 'dist', 'main.js');
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

  test("runs until it is stopped, and opens no port to Node's debugger", async () => {
    const { start } = await openWorkload();
    const env = { NODE_OPTIONS: '--inspect-port=0' };
    const pgpassd = start(['run'], { entry, env });
    await pgpassd.waitFor('token.refreshed');
    pgpassd.signal('SIGUSR1');
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('token.refreshed');
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual(done);
    expect(pgpassd.errors()).toBe('');
  });

  describe.each(commandLines.map((args) => ({ args, line: ['pgpassd', ...args].join(' ') })))(
    'by a Node.js that is too old, as $line',
    ({ args }) => {
      test('says so in a sentence, and ends with 2', async () => {
        const pgpassd = startPgpassd({ entry: entryForYounger, args, env: {} });
        expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
        expect(sentencesOf(pgpassd.errors())).toEqual([
          `this is Node.js ${process.versions.node}, and pgpassd needs 97.1.0 or a later 97, or 98.0.0 or later: install such a release, and put it first in PATH`,
        ]);
        expect(pgpassd.output()).toBe(pgpassd.errors());
      });

      test.skipIf(oldNode === undefined)(
        'is read by it as well (needs an old Node.js along PATH)',
        () => {
          const { path = '', version } = oldNode ?? {};
          const { status, stdout, stderr } = spawnSync(path, [entry, ...args], {
            encoding: 'utf8',
          });
          expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
          expect(sentencesOf(stderr)).toEqual([
            expect.stringContaining(`this is Node.js ${version}, and pgpassd needs 24.15.0`),
          ]);
        },
      );
    },
  );
});
