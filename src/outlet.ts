import { systemErrorCode } from './support/errors.ts';

/** What is asked of a standard stream here. */
interface Stream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
}

/**
 * A standard stream that knows whether what was written to it is out. Node.js writes to a pipe as
 * much as there is room for at once, and drops the rest when the process ends.
 */
export class Outlet {
  readonly #stream: Stream;
  #unwritten = 0;
  #done: PromiseWithResolvers<void> | undefined;
  #failure: string | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    // Each write hears of its own error; without a listener the stream would throw it besides.
    stream.on('error', () => undefined);
  }

  /** Whether something is not out yet. */
  get busy(): boolean {
    return this.#unwritten > 0;
  }

  /** The system's code of the error that kept something from being written, such as `ENOSPC`. */
  get failure(): string | undefined {
    return this.#failure;
  }

  write(text: string): void {
    this.#unwritten += 1;
    this.#stream.write(text, (error) => {
      if (error) this.#failure ??= systemErrorCode(error) ?? 'unknown error';
      this.#unwritten -= 1;
      if (!this.busy) this.#done?.resolve();
    });
  }

  /** Resolves when everything is out, or cannot be. */
  async done(): Promise<void> {
    if (!this.busy) return;
    this.#done ??= Promise.withResolvers();
    await this.#done.promise;
  }
}
