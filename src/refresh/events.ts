import type { FederatedIdentity } from '../federated-token/token.ts';
import type { Damage } from '../passfile/inspect.ts';
import type { PgpassdError } from '../support/errors.ts';

export type { Damage } from '../passfile/inspect.ts';

/** The token that clients find in the passfile. */
export interface TokenInPlace {
  /** By the issuer's clock where that is known, else by ours; milliseconds since the epoch. */
  readonly expiresAtMs: number;
  readonly remainingMs: number;
  readonly lifeMs: number;
}

/** Everything worth telling about the life of the daemon. None of it holds a token. */
export type RefreshEvent =
  | { readonly type: 'passfile.swept'; readonly files: number }
  | {
      readonly type: 'passfile.adopted';
      readonly token: TokenInPlace;
      readonly refreshInMs: number;
    }
  | { readonly type: 'passfile.written' | 'passfile.unchanged' }
  | {
      /** Somebody had changed the passfile; it is back. */
      readonly type: 'passfile.repaired';
      readonly damage: Damage;
      /** Where a directory that stood in its place is now. */
      readonly displacedTo?: string;
      /** Since the start, this one included. */
      readonly repairs: number;
    }
  | {
      /** The file in the passfile's place was not one that we wrote; it was kept before it was replaced. */
      readonly type: 'passfile.kept';
      readonly keptAs: string;
    }
  | { readonly type: 'passfile.contested'; readonly repairsInAMinute: number }
  | { readonly type: 'passfile.repair-failed'; readonly error: PgpassdError }
  | { readonly type: 'refresh.started'; readonly cause: RefreshCause }
  | {
      /** An answer, or none in time: of Entra, or of the token command. */
      readonly type: 'exchange.ended';
      readonly succeeded: boolean;
      readonly tookMs: number;
    }
  | {
      readonly type: 'token.refreshed';
      /** Absent when it expired before it could be published. */
      readonly token: TokenInPlace | undefined;
      readonly refreshInMs: number;
      readonly tookMs: number;
    }
  | {
      /** The source gave the token in place again, or one that ends before it: no renewal. */
      readonly type: 'token.unchanged';
      readonly token: TokenInPlace;
      readonly refreshInMs: number;
    }
  | {
      readonly type: 'refresh.failed';
      readonly cause: RefreshCause;
      readonly error: PgpassdError;
      /** Failures in a row, this one included. */
      readonly failures: number;
      readonly token: TokenInPlace | undefined;
      /** How long ago the token in place expired; absent when it is valid, or there never was one. */
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
      /** The file is only polled from now on. */
      readonly type: 'watch.failed';
      readonly what: 'federated-token' | 'template' | 'passfile';
      readonly error: unknown;
    }
  /** NODE_TLS_REJECT_UNAUTHORIZED asks to leave certificates unverified; they are verified. */
  | { readonly type: 'verification.kept' }
  | { readonly type: 'template.changed' }
  | { readonly type: 'template.rejected'; readonly error: PgpassdError }
  | { readonly type: 'token-command.said'; readonly text: string };

/**
 * Why there is something to do: a token is due, the federated token changed, somebody asked
 * (SIGHUP), or the template changed, which needs no new token.
 */
export type RefreshCause = 'due' | 'rotation' | 'request' | 'template';
