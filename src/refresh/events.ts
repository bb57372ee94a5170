import type { FederatedIdentity } from '../federated-token/federated-token.ts';
import type { Damage } from '../passfile/inspect.ts';
import type { PgpassdError } from '../support/errors.ts';

export type { Damage } from '../passfile/inspect.ts';

/** The token that clients find in the passfile. */
export interface TokenInPlace {
  /** By the issuer's clock if known, else by ours; milliseconds since the epoch. */
  readonly expiresAtMs: number;
  readonly remainingMs: number;
  readonly lifeMs: number;
}

/** Everything worth reporting about the daemon's life. No event holds a token. */
export type RefreshEvent =
  | { readonly type: 'passfile.swept'; readonly files: number }
  | {
      readonly type: 'passfile.adopted';
      readonly token: TokenInPlace;
      readonly refreshInMs: number;
    }
  | { readonly type: 'passfile.written' | 'passfile.unchanged' }
  | {
      /** The passfile had been changed, and was restored. */
      readonly type: 'passfile.repaired';
      readonly damage: Damage;
      /** The new path of a directory that was in its place. */
      readonly displacedTo?: string;
      /** Since the start, including this one. */
      readonly repairs: number;
    }
  | {
      /** The existing file was not written by pgpassd; it was kept under this path and replaced. */
      readonly type: 'passfile.kept';
      readonly keptAs: string;
    }
  | { readonly type: 'passfile.contested'; readonly repairsInAMinute: number }
  | { readonly type: 'passfile.repair-failed'; readonly error: PgpassdError }
  | { readonly type: 'refresh.started'; readonly cause: RefreshCause }
  | {
      /** Entra or the token command answered, or did not in time. */
      readonly type: 'exchange.ended';
      readonly succeeded: boolean;
      readonly tookMs: number;
    }
  | {
      readonly type: 'token.refreshed';
      /** Absent when it expired before it could be written. */
      readonly token: TokenInPlace | undefined;
      readonly refreshInMs: number;
      readonly tookMs: number;
    }
  | {
      /** The source returned the current token again, or one that expires earlier. */
      readonly type: 'token.unchanged';
      readonly token: TokenInPlace;
      readonly refreshInMs: number;
    }
  | {
      readonly type: 'refresh.failed';
      readonly cause: RefreshCause;
      readonly error: PgpassdError;
      /** Failures in a row, including this one. */
      readonly failures: number;
      readonly token: TokenInPlace | undefined;
      /** How long ago the current token expired; absent when it is valid, or there never was one. */
      readonly expiredForMs: number | undefined;
      readonly retryInMs: number;
    }
  | { readonly type: 'refresh.recovered'; readonly failures: number; readonly lastedMs: number }
  | {
      readonly type: 'federated-token.found' | 'federated-token.changed';
      readonly identity: FederatedIdentity;
      readonly expiresAtMs: number | undefined;
      readonly refreshing: boolean;
    }
  | {
      /** From now on the file is only polled. */
      readonly type: 'watch.failed';
      readonly what: 'federated-token' | 'template' | 'passfile';
      readonly error: unknown;
    }
  /** NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are verified. */
  | { readonly type: 'verification.kept' }
  | { readonly type: 'template.changed' }
  | { readonly type: 'template.rejected'; readonly error: PgpassdError }
  | { readonly type: 'token-command.said'; readonly text: string };

/**
 * Why a refresh starts: it is due, the federated token changed, an operator requested it (SIGHUP), or
 * the template changed, which needs no new token.
 */
export type RefreshCause = 'due' | 'rotation' | 'request' | 'template';
