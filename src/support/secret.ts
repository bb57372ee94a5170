import { decodeJwtClaims, type JwtClaims } from './jwt.ts';
import { sharedSpans } from './shared-runs.ts';

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

  /**
   * `text` with every piece of this secret of 16 characters or more replaced by `[redacted]`; of a
   * shorter secret, the whole. The cost grows with the lengths of both, and no faster.
   */
  redactFrom(text: string): string {
    const length = Math.min(PIECE_LENGTH, this.#text.length);
    let clean = '';
    let at = 0;
    for (const { start, end } of sharedSpans(text, this.#text, length)) {
      clean += text.slice(at, start) + REDACTED;
      at = end;
    }
    return clean + text.slice(at);
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
