import { lstat, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { watch } from 'chokidar';
import type { Clock } from './clock.ts';
import { systemErrorCode } from './errors.ts';

export interface Attention {
  readonly path: string;
  readonly clock: Clock;
  /** How often to look whatever the watching says; `Infinity` for never. */
  readonly pollIntervalMs: number;
  /** Whether to watch the directory besides polling. */
  readonly watching: boolean;
  /** Looks at the file, one time after the other. Should end when the signal aborts, and not reject. */
  readonly look: (signal: AbortSignal) => Promise<void>;
  /** Watching does not work here; polling goes on. Called once. */
  readonly onWatchFailed: (error: unknown) => void;
}

/** Besides watching: inotify can be exhausted, and some file systems tell nothing. */
export const POLL_INTERVAL_MS = 30_000;

/** Looks at a file at once, whenever something happens to it, and every so often. */
export class FileAttendant {
  readonly #attention: Attention;
  #watch: DirectoryWatch | undefined;
  #failureTold = false;
  #wake = new AbortController();

  constructor(attention: Attention) {
    this.#attention = attention;
  }

  lookNow(): void {
    this.#wake.abort();
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { watching, look, clock, pollIntervalMs } = this.#attention;
    const wake = () => this.lookNow();
    signal.addEventListener('abort', wake);
    while (!signal.aborted) {
      this.#wake = new AbortController();
      if (watching) await this.#keepWatching();
      await look(signal);
      if (!signal.aborted) await clock.sleep(pollIntervalMs, this.#wake.signal);
    }
    signal.removeEventListener('abort', wake);
    await this.#watch?.close();
  }

  /** The volume may appear, or be mounted anew, after us: each round looks where to watch. */
  async #keepWatching(): Promise<void> {
    const { path } = this.#attention;
    const directory = await watchableDirectory(path);
    if (this.#watch?.directory === directory) return;
    await this.#watch?.close();
    this.#watch = undefined;
    try {
      this.#watch = await watchDirectory(directory, path, {
        onChange: () => this.lookNow(),
        onEnd: (error) => this.#ended(error),
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  #ended(error: unknown): void {
    void this.#watch?.close();
    this.#watch = undefined;
    // What the system refuses, it would refuse again at once; a directory that has gone is looked for.
    if (systemErrorCode(error) === undefined) this.lookNow();
    else this.#failed(error);
  }

  #failed(error: unknown): void {
    if (this.#failureTold) return;
    this.#failureTold = true;
    this.#attention.onWatchFailed(error);
  }
}

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

interface DirectoryWatch {
  readonly directory: string;
  close(): Promise<void>;
}

interface DirectoryWatchListener {
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
    // The system tells more than chokidar does: a changed mode or owner, and that the directory was moved.
    .on('raw', (_event, name, details) => {
      const { watchedPath = directory } = details as { readonly watchedPath?: string };
      const moved = watchedPath === directory && name === basename(directory);
      if (moved || relevant.has(join(watchedPath, name ?? ''))) listener.onChange();
    })
    .on('error', (error) => listener.onEnd(error));
  return { directory, close: () => watcher.close() };
}

export interface FollowOptions<T> extends Omit<Attention, 'look'> {
  /** Rejects when the file cannot be read, which is no change. */
  readonly read: (path: string) => Promise<T>;
  readonly same: (one: T, other: T) => boolean;
  /** Called with the first content, and with each one that differs from the one before. */
  readonly onContent: (content: T, before: T | undefined) => void;
  /** Called once when the file stays unreadable, until it has been read again. */
  readonly onUnreadable?: (error: unknown) => void;
}

/** A single look may fall into the middle of a swap. */
const LOOKS_IN_VAIN = 2;

/**
 * Follows a file that kubelet or somebody else replaces. Changes are told by content: kubelet's
 * swaps leave no trustworthy times.
 */
export function createFollower<T>(options: FollowOptions<T>): FileAttendant {
  let known: T | undefined;
  let looksInVain = 0;
  return new FileAttendant({
    ...options,
    async look() {
      const content = await options.read(options.path).catch((error: unknown) => {
        looksInVain += 1;
        if (looksInVain === LOOKS_IN_VAIN) options.onUnreadable?.(error);
        return undefined;
      });
      if (content === undefined) return;
      looksInVain = 0;
      if (known !== undefined && options.same(known, content)) return;
      options.onContent(content, known);
      known = content;
    },
  });
}
