import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Far more than any step takes, also on a busy machine. */
const BOUND_MS = 60_000;

/** The log of a container, line by line, as it is written. */
export class LogLines {
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #seen = 0;
  #ended = false;

  follow(log: Readable): void {
    const look = () => {
      for (const check of [...this.#waiting]) check();
    };
    createInterface({ input: log })
      .on('line', (line) => {
        this.lines.push(line);
        look();
      })
      .on('close', () => {
        this.#ended = true;
        look();
      });
  }

  /** Leaves what there is so far to nobody who waits. */
  skip(): void {
    this.#seen = this.lines.length;
  }

  /** The first matching line behind those that earlier calls returned, as soon as there is one. */
  waitFor(what: string, matches: (line: string) => boolean): Promise<string> {
    return new Promise((settle, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
      };
      const fail = (why: string) => {
        finish();
        reject(new Error(`${why} before ${what}:\n${this.lines.join('\n')}`));
      };
      const check = () => {
        const at = this.lines.findIndex((line, index) => index >= this.#seen && matches(line));
        const line = this.lines[at];
        if (line !== undefined) {
          this.#seen = at + 1;
          finish();
          settle(line);
        } else if (this.#ended) fail('the container ended');
      };
      const timer = setTimeout(() => fail(`${BOUND_MS} ms passed`), BOUND_MS);
      this.#waiting.add(check);
      check();
    });
  }
}
