import type { Clock } from './clock.ts';
import { type DirectoryWatch, watchableDirectory, watchDirectory } from './directory-watch.ts';
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
