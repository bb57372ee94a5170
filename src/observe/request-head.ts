const CR = 0x0d;
const LF = 0x0a;

/**
 * Finds the end of the first request's head in bytes that arrive in any pieces: the first empty line
 * after one that is not empty. Blank lines before a request are skipped (RFC 9112 section 2.2). A lone
 * LF ends a line too, so that no parser sees an end that comes earlier.
 */
export class RequestHead {
  /** How many more bytes may belong to it. */
  #leftBytes: number;
  #begun = false;
  #lineIsEmpty = true;

  /** One that is longer, blank lines before it included, is over there. */
  constructor(longestBytes: number) {
    this.#leftBytes = longestBytes;
  }

  get over(): boolean {
    return this.#leftBytes === 0;
  }

  /** How many of the bytes that come next belong to it: all of them, until it is over. */
  lengthIn(bytes: Uint8Array): number {
    const most = Math.min(bytes.length, this.#leftBytes);
    let begun = this.#begun;
    let lineIsEmpty = this.#lineIsEmpty;
    for (let at = 0; at < most; at += 1) {
      const byte = bytes[at];
      if (byte === LF) {
        if (begun && lineIsEmpty) {
          this.#leftBytes = 0;
          return at + 1;
        }
        lineIsEmpty = true;
      } else if (byte !== CR) {
        begun = true;
        lineIsEmpty = false;
      }
    }
    this.#begun = begun;
    this.#lineIsEmpty = lineIsEmpty;
    this.#leftBytes -= most;
    return most;
  }
}
