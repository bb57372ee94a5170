import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Whether both paths lead to one file, be it by links, by hard links, or where there is none yet. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map(lookAt));
  if (first === undefined || second === undefined) return false;
  if (first.place === second.place) return true;
  return first.ino !== undefined && first.ino === second.ino && first.dev === second.dev;
}

/** The first of `files` that is the file at `path`. */
export async function firstSameFile<F extends { readonly path: string }>(
  path: string,
  files: readonly F[],
): Promise<F | undefined> {
  for (const file of files) if (await isSameFile(path, file.path)) return file;
  return undefined;
}

async function lookAt(path: string) {
  const absolute = resolve(path);
  const stats = await stat(absolute).catch(() => undefined);
  const directory = await realpath(dirname(absolute)).catch(() => dirname(absolute));
  const place = await realpath(absolute).catch(() => join(directory, basename(absolute)));
  return { place, ino: stats?.ino, dev: stats?.dev };
}
