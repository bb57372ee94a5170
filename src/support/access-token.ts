import type { Secret } from './secret.ts';

/** What a source of tokens hands over: the token and how long it is good for. */
export interface AccessToken {
  readonly token: Secret;
  /** Life counted from the moment the request was sent; above 0. */
  readonly expiresInSeconds: number;
  /** When the server wishes to be asked again, counted likewise. */
  readonly refreshInSeconds?: number;
  /** The end of the life by the issuer's clock, in milliseconds since the epoch, where that is known. */
  readonly endsAtMs?: number | undefined;
}

/** PostgreSQL reads a password message of up to 65535 bytes, length and NUL included (`recv_password_packet`). */
export const LONGEST_TOKEN = 65_535 - 5;

/** In characters: what holds a token in JSON, with room for much else. Longer texts are not parsed. */
export const LONGEST_TOKEN_JSON = 4 * LONGEST_TOKEN;

/** Entra's tokens live for a day at most; nobody's for more than a year. */
export const LONGEST_LIFE_SECONDS = 366 * 86_400;
