import type { Instant, Wait } from '../support/clock.ts';
import type { PgpassdError } from '../support/errors.ts';
import type { RefreshCause, RefreshEvent, TokenInPlace } from './events.ts';
import { leftMs } from './schedule.ts';

/** Where the daemon stands, as its events tell. Probes and metrics are views of it. */
export interface DaemonState {
  readonly stopping: boolean;
  /** The token that was put in place last, whether or not it has expired. */
  readonly token: PlacedToken | undefined;
  readonly lastSuccessAtMs: number | undefined;
  /** When a refresh is due, unless there is trouble. */
  readonly due: Wait | undefined;
  /** What failed last, and has not succeeded since. */
  readonly trouble: Trouble | undefined;
  /** The same of refreshing alone, which a template that is written at last does not mend. */
  readonly refreshTrouble: Trouble | undefined;
  readonly federatedTokenExpiresAtMs: number | undefined;
}

export interface PlacedToken {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** The same on both clocks: over when the wait is. */
  readonly validity: Wait;
}

interface Trouble {
  readonly cause: RefreshCause;
  readonly error: PgpassdError;
  readonly atMs: number;
  readonly failures: number;
  /** Those of the failures, the last ones in a row, in which there was too little to start a process. */
  readonly failedStarts: number;
  readonly retry: Wait;
}

export const initialState: DaemonState = {
  stopping: false,
  token: undefined,
  lastSuccessAtMs: undefined,
  due: undefined,
  trouble: undefined,
  refreshTrouble: undefined,
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
      return withTrouble(state, {
        cause: event.cause,
        error: event.error,
        atMs: now.wallMs,
        failures: event.failures,
        failedStarts: failedStartsAfter(state.trouble, event.error),
        retry: { since: now, delayMs: event.retryInMs },
      });
    case 'passfile.written':
    case 'passfile.unchanged':
      return state.trouble?.cause === 'template'
        ? { ...state, trouble: state.refreshTrouble }
        : state;
    case 'refresh.recovered':
      return { ...state, trouble: undefined, refreshTrouble: undefined };
    case 'federated-token.found':
    case 'federated-token.changed':
      return { ...state, federatedTokenExpiresAtMs: event.expiresAtMs };
    default:
      return state;
  }
}

/** When the next attempt is to come, as far as it is known. */
export function nextAttempt({ trouble, due }: DaemonState): Wait | undefined {
  return trouble?.retry ?? due;
}

/** By the same clock as the token's end. */
function dueIn(delayMs: number, token: TokenInPlace | undefined, now: Instant): Wait {
  return {
    since: now,
    delayMs,
    endsAtMs: token && token.expiresAtMs - token.remainingMs + delayMs,
  };
}

/** Whether clients that read this token get in: it was put in place, and has not expired. */
export function isValid(token: PlacedToken, now: Instant): boolean {
  return leftMs(token.validity, now) > 0;
}

function withTrouble(state: DaemonState, trouble: Trouble): DaemonState {
  const refreshTrouble = trouble.cause === 'template' ? state.refreshTrouble : trouble;
  return { ...state, trouble, refreshTrouble };
}

/**
 * What there was too little of to start a command, if it may be us who hold it: processes (EAGAIN),
 * which nobody reaps where pgpassd is process 1 without an init, open files, or memory. A new
 * container begins without them.
 */
const HELD_BY_US: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EMFILE', 'ENOMEM']);

function failedStartsAfter(trouble: Trouble | undefined, { details }: PgpassdError): number {
  return HELD_BY_US.has(details.systemCode) ? (trouble?.failedStarts ?? 0) + 1 : 0;
}

function placed({ expiresAtMs, remainingMs, lifeMs }: TokenInPlace, now: Instant): PlacedToken {
  return {
    issuedAtMs: expiresAtMs - lifeMs,
    expiresAtMs,
    validity: { since: now, delayMs: remainingMs, endsAtMs: expiresAtMs },
  };
}

/** A token that was replaced by one that had expired by then: clients find a valid one no more. */
function ended(token: PlacedToken | undefined, now: Instant): PlacedToken | undefined {
  if (token === undefined) return undefined;
  const expiresAtMs = Math.min(token.expiresAtMs, now.wallMs);
  return { ...token, expiresAtMs, validity: { since: now, delayMs: 0 } };
}
