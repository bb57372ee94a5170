import { decodeJwtClaims, type JwtClaims } from './jwt.ts';
import { sharedSpans } from './shared-runs.ts';

/** Any run of this many characters that a text shares with a secret counts as a piece of the secret. */
const PIECE_LENGTH = 16;

const REDACTED = '[redacted]';

/**
 * A token or assertion. It prints as `[redacted]` through string conversion, JSON and inspection;
 * only `unwrap` returns the text, and only the request body, the passfile line and the login of `check`
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

  /** The claims of a JWT, which are of no use to an attacker without the signature. */
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
 * A JWT, or its beginning: `{"` in base64url, and what follows. Within a word it counts only if it is
 * long enough for a JWT's header.
 */
const JWT = /(?<![A-Za-z\d])eyJ[\w-]{8}[\w.-]*|eyJ[\w-]{13}[\w.-]*/g;

/** A client secret as `az ad app credential reset` returns it: three characters, a digit, `Q~` and more. */
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

/** Like `JWT`, but of any length at the start of a word, since a truncated text may end in one. */
const CUT_JWT = /(?<![A-Za-z\d])eyJ[\w.-]+|eyJ[\w-]{13}[\w.-]*/g;

/** `text` with every JWT, or the beginning of one, replaced by `[redacted]`. */
export function redactJwts(text: string): string {
  return text.replaceAll(CUT_JWT, '[redacted]');
}

/** Enough for the tokens of several refreshes, and for every password of a usual passfile. */
const MOST_KEPT = 32;

/**
 * A shorter password occurs in many texts by chance, so that redacting it would reveal it by what is
 * missing.
 */
export const SHORTEST_PASSWORD = 8;

/** The secrets that texts from outside may quote, collected from all parts of the program. */
export class KnownSecrets {
  #latest: readonly Secret[] = [];
  #inPlace: readonly Secret[] = [];

  /** Adds tokens and assertions, of which the latest are kept. */
  add(...secrets: readonly Secret[]): void {
    this.#latest = distinct([...this.#latest, ...secrets]);
  }

  /** Adds what a passfile held at the start, which is kept apart from the tokens. */
  addInPlace(secrets: readonly Secret[]): void {
    this.#inPlace = distinct([...this.#inPlace, ...secrets]);
  }

  get all(): readonly Secret[] {
    return [...this.#inPlace, ...this.#latest];
  }

  /** `text` without any piece of these secrets or of any other JWT. */
  redactFrom(text: string): string {
    return redactJwts(this.all.reduce((clean, secret) => secret.redactFrom(clean), text));
  }
}

/** The last `MOST_KEPT` that are long enough, without duplicates. */
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
