import { lstat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { watch } from 'chokidar';

/** The symlink that kubelet's AtomicWriter replaces to publish a volume's new content. */
const DATA_LINK = '..data';

/**
 * The directory to watch for changes of the file at `path`: the nearest one above it that holds a
 * `..data` symlink, because what stands below is a link into the old content and goes deaf with the
 * first rotation. Without any such link it is the file's own directory, once that exists.
 */
export async function watchableDirectory(path: string): Promise<string | undefined> {
  for (const directory of ancestors(path)) {
    const link = await lstat(join(directory, DATA_LINK)).catch(() => undefined);
    if (link?.isSymbolicLink()) return directory;
  }
  const own = await lstat(dirname(path)).catch(() => undefined);
  return own && dirname(path);
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

/** Watches `directory` for a new `..data` or a change of the file at `path`. Resolves once it hears. */
export async function watchDirectory(
  directory: string,
  path: string,
  listener: DirectoryWatchListener,
): Promise<DirectoryWatch> {
  const relevant = new Set([
    directory,
    join(directory, DATA_LINK),
    join(directory, basename(path)),
  ]);
  const watcher = watch(directory, {
    depth: 0,
    followSymlinks: false,
    ignoreInitial: true,
    ignored: (each) => !relevant.has(each),
  });
  await new Promise<void>((ready) => {
    watcher
      .on('all', (event, changed) => {
        if (event === 'unlinkDir' && changed === directory) listener.onEnd();
        else listener.onChange();
      })
      .on('error', (error) => {
        listener.onEnd(error);
        ready();
      })
      .on('ready', ready);
  });
  return { directory, close: () => watcher.close() };
}
