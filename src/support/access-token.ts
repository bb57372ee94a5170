import type { Secret } from './secret.ts';

/** What a source of tokens hands over: the token and how long it is good for. */
export interface AccessToken {
  readonly token: Secret;
  /** Life counted from the moment the request was sent; above 0. */
  readonly expiresInSeconds: number;
  /** When the server wishes to be asked again, counted likewise. */
  readonly refreshInSeconds?: number;
}
