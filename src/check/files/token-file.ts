import { lstat, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { watchableDirectory } from '../../support/file-watcher.ts';
import { isFrozen } from './mountinfo.ts';
import { readMounts } from './mounts.ts';
import { withoutLinks } from './place.ts';

/** How the file of a federated token got where it is. */
export interface TokenFile {
  /** Absolute. */
  readonly path: string;
  /**
   * `flat`: a link into the volume's `..data`. `nested`: below a directory that is one. `plain`: in no
   * volume of kubelet's. `frozen`: mounted by itself, as `subPath` does it; it never changes.
   */
  readonly layout: 'flat' | 'nested' | 'plain' | 'frozen';
  /** By our wall clock, in milliseconds since the epoch; absent when it cannot be told. */
  readonly modifiedMs: number | undefined;
}

/** Looks at the file, which need not exist. Never rejects. */
export async function lookAtTokenFile(file: string): Promise<TokenFile> {
  const path = resolve(file);
  const stats = await stat(path).catch(() => undefined);
  return { path, layout: await layoutOf(path), modifiedMs: stats?.mtimeMs };
}

async function layoutOf(path: string): Promise<TokenFile['layout']> {
  if (isFrozen(await withoutLinks(path), await readMounts())) return 'frozen';
  const directory = await watchableDirectory(path);
  const data = await lstat(join(directory, '..data')).catch(() => undefined);
  if (!data?.isSymbolicLink()) return 'plain';
  return directory === dirname(path) ? 'flat' : 'nested';
}
