import type { Instant, Wait } from '../support/clock.ts';
import type { PgpassdError } from '../support/errors.ts';
import type { RefreshCause, RefreshEvent, TokenInPlace } from './events.ts';
import { leftMs } from './schedule.ts';

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
