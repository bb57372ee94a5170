import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** A Node.js and the program that it runs. */
export interface Program {
  readonly node: string;
  readonly entry: string;
}

const reachable = new Map<string, Program>();

/**
 * The program as another user can start it: where that user can't enter the checkout, or read what
 * lies in it, a copy of the program, its dependencies and Node.js, which goes with this process.
 * Only the superuser can ask for it.
 */
export function reachableBy(uid: number, program: Program): Program {
  const key = JSON.stringify([uid, program]);
  const found = reachable.get(key) ?? (starts(uid, program) ? program : copyFor(uid, program));
  reachable.set(key, found);
  return found;
}

function copyFor(uid: number, program: Program): Program {
  // The superuser's own TMPDIR may be closed to others, too.
  const directory = mkdtempSync('/tmp/pgpassd-reachable-');
  removeAfterUs(directory);
  const copy = {
    node: join(directory, 'node'),
    entry: join(directory, copyCheckout(program.entry, directory)),
  };
  copyOpen(program.node, copy.node);
  chmodSync(directory, 0o755);
  if (!starts(uid, copy)) throw new Error(`uid ${uid} can start no copy of ${program.entry}`);
  return copy;
}

/** However this process ends: the end of its pipe is what is waited for. */
function removeAfterUs(directory: string): void {
  const remover = spawn('/bin/sh', ['-c', 'read -r _; exec rm -rf "$0"', directory], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  remover.unref();
}

/** Help takes every module of the program. */
function starts(uid: number, { node, entry }: Program): boolean {
  const options = { uid, gid: uid, cwd: '/', env: {} };
  return spawnSync(node, [entry, '--help'], options).status === 0;
}

/** Copies what the entry needs of its checkout. Returns where the entry is in the copy. */
function copyCheckout(entry: string, directory: string): string {
  const root = checkoutOf(dirname(entry));
  const path = relative(root, entry);
  const [folder = ''] = path.split(sep);
  for (const each of [folder, 'package.json', ...dependenciesIn(root)]) {
    copyOpen(join(root, each), join(directory, each));
  }
  return path;
}

function checkoutOf(directory: string): string {
  if (existsSync(join(directory, 'package-lock.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error('the program is in no checkout that could be copied');
  return checkoutOf(parent);
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: true; readonly devOptional?: true }>>;
}

function dependenciesIn(root: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => path)
    .filter((path) => existsSync(join(root, path)));
}

/** Copies a file or a folder, and lets everybody read it, whatever the umask of the original was. */
function copyOpen(from: string, to: string): void {
  cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
  open(to);
}

function open(path: string): void {
  const stats = statSync(path);
  chmodSync(path, stats.isDirectory() || (stats.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (stats.isDirectory()) for (const name of readdirSync(path)) open(join(path, name));
}
