import type { FederatedIdentity } from '../federated-token/federated-token.ts';
import type { Damage } from '../passfile/inspect.ts';
import type { Instant, Wait } from '../support/clock.ts';
import type { PgpassdError } from '../support/errors.ts';
import { leftMs } from './schedule.ts';

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

/** The daemon's state, derived from its events. Probes and metrics are views of it. */
export interface DaemonState {
  readonly stopping: boolean;
  /** The token that was written last, whether or not it has expired. */
  readonly token: PlacedToken | undefined;
  readonly lastSuccessAtMs: number | undefined;
  /** When a refresh is due, unless the last attempt failed. */
  readonly due: Wait | undefined;
  /** What failed last and has not succeeded since. */
  readonly failure: OngoingFailure | undefined;
  /** The same for refreshes alone: writing a changed template does not resolve it. */
  readonly refreshFailure: OngoingFailure | undefined;
  readonly federatedTokenExpiresAtMs: number | undefined;
}

export interface PlacedToken {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** The rest of its life, on both clocks. */
  readonly validity: Wait;
}

interface OngoingFailure {
  readonly cause: RefreshCause;
  readonly error: PgpassdError;
  readonly atMs: number;
  readonly failures: number;
  /** How many of the last failures in a row were a lack of resources to start a process. */
  readonly failedStarts: number;
  readonly retry: Wait;
}

export const initialState: DaemonState = {
  stopping: false,
  token: undefined,
  lastSuccessAtMs: undefined,
  due: undefined,
  failure: undefined,
  refreshFailure: undefined,
  federatedTokenExpiresAtMs: undefined,
};

/** The state after an event that happened at `now`. */
export function stateAfter(state: DaemonState, event: RefreshEvent, now: Instant): DaemonState {
  switch (event.type) {
    case 'passfile.adopted':
      return {
        ...state,
        token: placed(event.token, now),
        due: dueIn(event.refreshInMs, event.token, now),
      };
    case 'token.refreshed':
      return {
        ...state,
        token: event.token ? placed(event.token, now) : ended(state.token, now),
        lastSuccessAtMs: now.wallMs,
        due: dueIn(event.refreshInMs, event.token, now),
      };
    case 'token.unchanged':
      return { ...state, due: dueIn(event.refreshInMs, event.token, now) };
    case 'refresh.failed':
      return withFailure(state, {
        cause: event.cause,
        error: event.error,
        atMs: now.wallMs,
        failures: event.failures,
        failedStarts: failedStartsAfter(state.failure, event.error),
        retry: { since: now, delayMs: event.retryInMs },
      });
    case 'passfile.written':
    case 'passfile.unchanged':
      return state.failure?.cause === 'template'
        ? { ...state, failure: state.refreshFailure }
        : state;
    case 'refresh.recovered':
      return { ...state, failure: undefined, refreshFailure: undefined };
    case 'federated-token.found':
    case 'federated-token.changed':
      return { ...state, federatedTokenExpiresAtMs: event.expiresAtMs };
    default:
      return state;
  }
}

/** When the next attempt is due, if that is known. */
export function nextAttempt({ failure, due }: DaemonState): Wait | undefined {
  return failure?.retry ?? due;
}

/** By the same clock as the token's expiry. */
function dueIn(delayMs: number, token: TokenInPlace | undefined, now: Instant): Wait {
  return {
    since: now,
    delayMs,
    endsAtMs: token && token.expiresAtMs - token.remainingMs + delayMs,
  };
}

/** Whether clients that read this token can log in. */
export function isValid(token: PlacedToken, now: Instant): boolean {
  return leftMs(token.validity, now) > 0;
}

function withFailure(state: DaemonState, failure: OngoingFailure): DaemonState {
  const refreshFailure = failure.cause === 'template' ? state.refreshFailure : failure;
  return { ...state, failure, refreshFailure };
}

/**
 * Resources whose lack kept a command from starting and that pgpassd itself may hold: processes (EAGAIN),
 * which remain as zombies where pgpassd is process 1 without an init, open files, or memory. A restart
 * of the container releases them.
 */
const HELD_BY_US: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EMFILE', 'ENOMEM']);

function failedStartsAfter(before: OngoingFailure | undefined, { details }: PgpassdError): number {
  return HELD_BY_US.has(details.systemCode) ? (before?.failedStarts ?? 0) + 1 : 0;
}

function placed({ expiresAtMs, remainingMs, lifeMs }: TokenInPlace, now: Instant): PlacedToken {
  return {
    issuedAtMs: expiresAtMs - lifeMs,
    expiresAtMs,
    validity: { since: now, delayMs: remainingMs, endsAtMs: expiresAtMs },
  };
}

/** A token that was replaced by one that had already expired: clients no longer find a valid one. */
function ended(token: PlacedToken | undefined, now: Instant): PlacedToken | undefined {
  if (token === undefined) return undefined;
  const expiresAtMs = Math.min(token.expiresAtMs, now.wallMs);
  return { ...token, expiresAtMs, validity: { since: now, delayMs: 0 } };
}
