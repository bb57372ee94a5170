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

/**
 * A JWT, or its beginning: `{"` in base64url, and what follows. Within a word only what is long enough
 * for the header of one.
 */
const JWT = /(?<![A-Za-z\d])eyJ[\w-]{8}[\w.-]*|eyJ[\w-]{13}[\w.-]*/g;

/** What Entra makes for `az ad app credential reset`: three characters, a digit, `Q~` and more. */
const CLIENT_SECRET = /[\w.~-]{3}\dQ~[\w.~-]{20,}/g;

export function jwtsIn(text: string): readonly string[] {
  return text.match(JWT) ?? [];
}

export function clientSecretsIn(text: string): readonly string[] {
  return text.match(CLIENT_SECRET) ?? [];
}

export function holdsJwt(text: string): boolean {
  return text.search(JWT) >= 0;
}

export function holdsClientSecret(text: string): boolean {
  return text.search(CLIENT_SECRET) >= 0;
}

/** The same as `JWT`, of any length at the start of a word: a text that was cut may end in one. */
const CUT_JWT = /(?<![A-Za-z\d])eyJ[\w.-]+|eyJ[\w-]{13}[\w.-]*/g;

/** `text` with every JWT, or the beginning of one, replaced by `[redacted]`. */
export function withoutJwts(text: string): string {
  return text.replaceAll(CUT_JWT, '[redacted]');
}

/** Enough for the tokens of several refreshes, and for every password of a usual passfile. */
const MOST_KEPT = 32;

/**
 * A shorter password would be found in many a text by chance, and so be given away by what is
 * missing there.
 */
export const SHORTEST_PASSWORD = 8;

/** The secrets that texts from outside may quote, whichever part of the program met them. */
export class KnownSecrets {
  #latest: readonly Secret[] = [];
  #inPlace: readonly Secret[] = [];

  /** Tokens and assertions: the latest ones are kept. */
  add(...secrets: readonly Secret[]): void {
    this.#latest = distinct([...this.#latest, ...secrets]);
  }

  /** What a passfile held at the start, which stays known. */
  addInPlace(secrets: readonly Secret[]): void {
    this.#inPlace = distinct([...this.#inPlace, ...secrets]);
  }

  get all(): readonly Secret[] {
    return [...this.#inPlace, ...this.#latest];
  }

  /** `text` without any piece of them, nor of any other JWT. */
  redactFrom(text: string): string {
    return withoutJwts(this.all.reduce((clean, secret) => secret.redactFrom(clean), text));
  }
}

/** The last of them that are long enough, each once. */
function distinct(secrets: readonly Secret[]): readonly Secret[] {
  const kept: Secret[] = [];
  for (const secret of secrets.toReversed()) {
    if (kept.length === MOST_KEPT) break;
    if (secret.length >= SHORTEST_PASSWORD && !kept.some((each) => each.equals(secret))) {
      kept.unshift(secret);
    }
  }
  return kept;
}
