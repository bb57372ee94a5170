import { decodeJwtClaims, type JwtClaims } from './jwt.ts';

/** Any run of this many characters shared with a secret counts as a piece of it. */
const PIECE_LENGTH = 16;

const REDACTED = '[redacted]';

/**
 * A token or assertion. It prints as `[redacted]` through string conversion, JSON and inspection;
 * only `unwrap` gives the text, and only the request body, the passfile line and the login of `check`
 * call it.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  unwrap(): string {
    return this.#text;
  }

  get length(): number {
    return this.#text.length;
  }

  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  /** The claims of a JWT: without its signature they open nothing. */
  jwtClaims(): JwtClaims | undefined {
    return decodeJwtClaims(this.#text);
  }

  /** Whether it is printable ASCII without blanks, fit for one field of one line. */
  isPrintable(): boolean {
    return /^[\x21-\x7e]+$/.test(this.#text);
  }

  /** `text` with every piece of this secret of 16 characters or more replaced by `[redacted]`. */
  redactFrom(text: string): string {
    let clean = '';
    let at = 0;
    while (at < text.length) {
      const length = this.#sharedLength(text, at);
      clean += length > 0 ? REDACTED : text[at];
      at += Math.max(length, 1);
    }
    return clean;
  }

  /** Length of the piece of this secret that starts at `at` in `text`; 0 when there is none. */
  #sharedLength(text: string, at: number): number {
    let length = Math.min(PIECE_LENGTH, this.#text.length);
    const holds = (size: number) =>
      at + size <= text.length && this.#text.includes(text.slice(at, at + size));
    if (length === 0 || !holds(length)) return 0;
    while (length < this.#text.length && holds(length + 1)) length += 1;
    return length;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}
