import type { Clock } from './clock.ts';
import { type DirectoryWatch, watchableDirectory, watchDirectory } from './directory-watch.ts';

export interface FollowOptions<T> {
  readonly path: string;
  readonly clock: Clock;
  /** How often the file is read whatever the watching says; `Infinity` for never. */
  readonly pollIntervalMs: number;
  /** Whether to watch the directory besides polling. */
  readonly watching: boolean;
  /** Rejects while the file cannot be read; that is no change. */
  readonly read: (path: string) => Promise<T>;
  readonly same: (one: T, other: T) => boolean;
  /** Called with the first content, and with each one that differs from the one before. */
  readonly onContent: (content: T, before: T | undefined) => void;
  /** Watching does not work here; polling goes on. Called once. */
  readonly onWatchFailed: (error: unknown) => void;
}

/**
 * Follows a file that kubelet or somebody else replaces, until `signal` aborts. Changes are told by
 * content: kubelet's swaps leave no trustworthy times.
 */
export async function followFile<T>(options: FollowOptions<T>, signal: AbortSignal): Promise<void> {
  const { path, clock, pollIntervalMs } = options;
  let known: T | undefined;
  let watch: DirectoryWatch | undefined;
  let failureTold = false;
  let wake = new AbortController();
  const rouse = () => wake.abort();
  signal.addEventListener('abort', rouse);

  const check = async () => {
    const content = await options.read(path).catch(() => undefined);
    if (content === undefined || (known !== undefined && options.same(known, content))) return;
    options.onContent(content, known);
    known = content;
  };

  const listener = {
    onChange: rouse,
    onEnd: (error?: unknown) => {
      void watch?.close();
      watch = undefined;
      if (error === undefined || failureTold) return;
      failureTold = true;
      options.onWatchFailed(error);
    },
  };

  // The volume may appear, or be mounted anew, after us: each round looks where to watch.
  const keepWatching = async () => {
    const directory = await watchableDirectory(path);
    if (watch?.directory === directory) return;
    await watch?.close();
    watch = await watchDirectory(directory, path, listener);
  };

  while (!signal.aborted) {
    wake = new AbortController();
    if (options.watching && !failureTold) await keepWatching().catch(listener.onEnd);
    await check();
    if (!signal.aborted) await clock.sleep(pollIntervalMs, wake.signal);
  }
  signal.removeEventListener('abort', rouse);
  await watch?.close();
}
