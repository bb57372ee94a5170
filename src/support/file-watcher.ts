import { lstat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { watch } from 'chokidar';
import type { Clock } from './clock.ts';
import { systemErrorCode } from './errors.ts';
import { isDirectory } from './files.ts';

export interface FileWatcherOptions {
  readonly path: string;
  readonly clock: Clock;
  /** How often to check the file even if no change is reported; `Infinity` for never. */
  readonly pollIntervalMs: number;
  /** Whether to watch the directory as well as poll. */
  readonly watching: boolean;
  /** Checks the file; never called twice at once. Should end when the signal aborts, and must not reject. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** The directory cannot be watched; polling goes on. Called once. */
  readonly onWatchFailed: (error: unknown) => void;
}

/** Watching alone is not enough: inotify instances can run out, and some file systems report nothing. */
export const POLL_INTERVAL_MS = 30_000;

/** Checks a file at once, on each change of it, and at an interval. */
export class FileWatcher {
  readonly #options: FileWatcherOptions;
  #watch: DirectoryWatch | undefined;
  #failureReported = false;
  #wake = new AbortController();

  constructor(options: FileWatcherOptions) {
    this.#options = options;
  }

  checkNow(): void {
    this.#wake.abort();
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { watching, check, clock, pollIntervalMs } = this.#options;
    const wake = () => this.checkNow();
    signal.addEventListener('abort', wake);
    while (!signal.aborted) {
      this.#wake = new AbortController();
      if (watching) await this.#keepWatching();
      await check(signal);
      if (!signal.aborted) await clock.sleep(pollIntervalMs, this.#wake.signal);
    }
    signal.removeEventListener('abort', wake);
    await this.#watch?.close();
  }

  /** The volume may appear after we started, or be mounted again: each round finds the directory to watch. */
  async #keepWatching(): Promise<void> {
    const { path } = this.#options;
    const directory = await watchableDirectory(path);
    if (this.#watch?.directory === directory) return;
    await this.#watch?.close();
    this.#watch = undefined;
    try {
      this.#watch = await watchDirectory(directory, path, {
        onChange: () => this.checkNow(),
        onEnd: (error) => this.#ended(error),
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  #ended(error: unknown): void {
    void this.#watch?.close();
    this.#watch = undefined;
    // What the system refused, it would refuse again at once. A directory that is gone is worth another try.
    if (systemErrorCode(error) === undefined) this.checkNow();
    else this.#failed(error);
  }

  #failed(error: unknown): void {
    if (this.#failureReported) return;
    this.#failureReported = true;
    this.#options.onWatchFailed(error);
  }
}

export interface FollowOptions<T> extends Omit<FileWatcherOptions, 'check'> {
  /** Rejects when the file cannot be read, which does not count as a change. */
  readonly read: (path: string) => Promise<T>;
  readonly same: (one: T, other: T) => boolean;
  /** Called with the first content, and with each one that differs from the one before. */
  readonly onContent: (content: T, before: T | undefined) => void;
  /** Called when the file stays unreadable; once, until it has been read again. */
  readonly onUnreadable?: (error: unknown) => void;
}

/** A single failure may fall into the middle of a swap. */
const FAILURES_TO_REPORT = 2;

/**
 * Watches the content of a file that kubelet, or another process, replaces. Contents are compared,
 * since the file times after kubelet's swaps cannot be trusted.
 */
export function createFollower<T>(options: FollowOptions<T>): FileWatcher {
  let known: T | undefined;
  let failures = 0;
  return new FileWatcher({
    ...options,
    async check() {
      const content = await options.read(options.path).catch((error: unknown) => {
        failures += 1;
        if (failures === FAILURES_TO_REPORT) options.onUnreadable?.(error);
        return undefined;
      });
      if (content === undefined) return;
      failures = 0;
      if (known !== undefined && options.same(known, content)) return;
      options.onContent(content, known);
      known = content;
    },
  });
}

/** The symlink that kubelet's AtomicWriter replaces to publish a volume's new content. */
const DATA_LINK = '..data';

/**
 * The directory to watch for changes of the file at `path`: the nearest one above it that holds a
 * `..data` symlink, because what is below is a link into the old content, where a watch reports
 * nothing after the first rotation. Without any such link it is the nearest one that exists.
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

function* ancestors(path: string): Generator<string> {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    yield directory;
    if (directory === dirname(directory)) return;
  }
}

interface DirectoryWatch {
  readonly directory: string;
  close(): Promise<void>;
}

interface DirectoryWatchListener {
  /** Kubelet published new content, or the file itself changed. */
  onChange(): void;
  /** Watching is over: inotify instances ran out, or the directory is gone. */
  onEnd(error?: unknown): void;
}

/**
 * Watches `directory` for a new `..data`, or for a change of the next step on the way to `path`: the
 * file itself, or a directory that does not exist yet. Resolves once the watch is active; rejects
 * when the system refuses it.
 */
async function watchDirectory(
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
    // inotify reports more than chokidar passes on: a changed mode or owner, and a moved directory.
    .on('raw', (_event, name, details) => {
      const { watchedPath = directory } = details as { readonly watchedPath?: string };
      const moved = watchedPath === directory && name === basename(directory);
      if (moved || relevant.has(join(watchedPath, name ?? ''))) listener.onChange();
    })
    .on('error', (error) => listener.onEnd(error));
  return { directory, close: () => watcher.close() };
}
