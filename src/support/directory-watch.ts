import { lstat, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { watch } from 'chokidar';

/** The symlink that kubelet's AtomicWriter replaces to publish a volume's new content. */
const DATA_LINK = '..data';

/**
 * The directory to watch for changes of the file at `path`: the nearest one above it that holds a
 * `..data` symlink, because what stands below is a link into the old content and goes deaf with the
 * first rotation. Without any such link it is the nearest one that exists.
 */
export async function watchableDirectory(path: string): Promise<string> {
  let existing: string | undefined;
  for (const directory of ancestors(path)) {
    const link = await lstat(join(directory, DATA_LINK)).catch(() => undefined);
    if (link?.isSymbolicLink()) return directory;
    if (existing === undefined && (await isDirectory(directory))) existing = directory;
  }
  return existing ?? dirname(path);
}

async function isDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

function* ancestors(path: string): Generator<string> {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    yield directory;
    if (directory === dirname(directory)) return;
  }
}

export interface DirectoryWatch {
  readonly directory: string;
  close(): Promise<void>;
}

export interface DirectoryWatchListener {
  /** Something was published, or the file itself changed. */
  onChange(): void;
  /** Watching is over, for want of inotify instances or because the directory is gone. */
  onEnd(error?: unknown): void;
}

/**
 * Watches `directory` for a new `..data`, or a change of what lies next on the way to `path`: the
 * file itself, or a directory that does not exist yet. Resolves once it hears; rejects when the
 * system does not let it.
 */
export async function watchDirectory(
  directory: string,
  path: string,
  listener: DirectoryWatchListener,
): Promise<DirectoryWatch> {
  const next = join(directory, relative(directory, path).split(sep)[0] ?? '');
  const relevant = new Set([directory, join(directory, DATA_LINK), next]);
  const watcher = watch(directory, {
    depth: 0,
    followSymlinks: false,
    ignoreInitial: true,
    ignored: (each) => !relevant.has(each),
  });
  try {
    await new Promise<void>((ready, failed) => {
      watcher.once('ready', ready).once('error', failed);
    });
  } catch (error) {
    await watcher.close();
    throw error;
  }
  watcher
    .on('all', (event, changed) => {
      if (event === 'unlinkDir' && changed === directory) listener.onEnd();
      else listener.onChange();
    })
    // The system tells more than chokidar does: a changed mode or owner, and that the directory was moved.
    .on('raw', (_event, name, details) => {
      const { watchedPath = directory } = details as { readonly watchedPath?: string };
      const moved = watchedPath === directory && name === basename(directory);
      if (moved || relevant.has(join(watchedPath, name ?? ''))) listener.onChange();
    })
    .on('error', (error) => listener.onEnd(error));
  return { directory, close: () => watcher.close() };
}
