import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Damage } from '../../src/passfile/inspect.ts';

export interface DamageDone {
  readonly how: string;
  readonly damage: Damage;
  /** Only root can give a file away. */
  readonly asRoot?: true;
  readonly inflict: (path: string) => Promise<unknown>;
}

/** Where a link in the passfile's place leads to. */
export const elsewhere = (path: string): string => `${path}-elsewhere`;

/** Synchronously: between the two steps the passfile is missing, which would be reported as damage itself. */
function putDirectory(path: string): void {
  rmSync(path);
  mkdirSync(path);
}

/** Everything that another user can do to a passfile in a directory that they may write to. */
export const damages: readonly DamageDone[] = [
  { how: 'deleted', damage: 'missing', inflict: (path) => rm(path) },
  { how: 'truncated', damage: 'content', inflict: (path) => truncate(path) },
  {
    how: 'overwritten with garbage',
    damage: 'content',
    inflict: (path) => writeFile(path, Buffer.from([0xff, 0, 0xfe, 10])),
  },
  {
    how: 'overwritten with as many other bytes',
    damage: 'content',
    inflict: async (path) => writeFile(path, (await readFile(path, 'latin1')).replace(/.$/m, '~')),
  },
  { how: 'set to 0644', damage: 'mode', inflict: (path) => chmod(path, 0o644) },
  {
    how: 'given away (as root)',
    damage: 'owner',
    asRoot: true,
    inflict: (path) => chown(path, 4321, 4321),
  },
  {
    how: 'replaced by a directory',
    damage: 'not-a-file',
    inflict: async (path) => putDirectory(path),
  },
  {
    how: 'replaced by a directory with something in it',
    damage: 'not-a-file',
    inflict: async (path) => {
      putDirectory(path);
      writeFileSync(`${path}/kept`, 'kept');
    },
  },
  {
    how: 'replaced by a link to elsewhere',
    damage: 'not-a-file',
    inflict: async (path) => {
      await writeFile(elsewhere(path), 'untouched');
      await symlink(elsewhere(path), `${path}-link`);
      await rename(`${path}-link`, path);
    },
  },
  {
    how: 'replaced by a FIFO',
    damage: 'not-a-file',
    inflict: async (path) => {
      await promisify(execFile)('mkfifo', [`${path}-fifo`]);
      await rename(`${path}-fifo`, path);
    },
  },
];

/** Whether libpq would read exactly `content` from a file of ours. */
export async function isRight(path: string, content: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats?.isFile() || (stats.mode & 0o777) !== 0o600) return false;
  if (stats.uid !== process.getuid?.()) return false;
  return (await readFile(path, 'utf8')) === content;
}
