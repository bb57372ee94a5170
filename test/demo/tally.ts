import type { Connect } from './client-loop.ts';
import type { DaemonLine } from './daemon.ts';

/** What happens in the demo, by the part that it happens to. Times are wall clock milliseconds. */
export type DemoEvent =
  | { readonly kind: 'demo'; readonly atMs: number; readonly text: string }
  | { readonly kind: 'kubelet'; readonly atMs: number; readonly expiresAtMs: number }
  | { readonly kind: 'pgpassd'; readonly atMs: number; readonly line: DaemonLine }
  | { readonly kind: 'metrics'; readonly atMs: number; readonly failedRefreshes: number }
  | { readonly kind: 'client'; readonly atMs: number; readonly connect: Connect };

export type Listener = (event: DemoEvent) => void;

/** A token that is in place, as far as the demo knows. */
export interface TokenLife {
  readonly sinceMs: number;
  readonly expiresAtMs: number;
  readonly refreshAtMs?: number;
}

interface Failure {
  readonly message: string;
  readonly remedy: string;
}

/** What has happened so far, in numbers. */
export interface Tally {
  readonly accessToken: TokenLife | undefined;
  readonly federatedToken: TokenLife | undefined;
  /** Tokens after the first one. */
  readonly accessTokenRotations: number;
  /** Those that pgpassd has noticed. */
  readonly federatedTokenRotations: number;
  /** By pgpassd's metrics, which count every attempt. */
  readonly failedRefreshes: number;
  readonly lastFailure: Failure | undefined;
  /** Whether the last refresh failed. */
  readonly failing: boolean;
  readonly connects: ConnectTally;
}

export interface ConnectTally {
  readonly ok: number;
  readonly failed: number;
  /** Of those that succeeded. */
  readonly shortestMs: number;
  readonly longestMs: number;
  readonly last: Connect | undefined;
  readonly lastError: string | undefined;
  /** Whether each succeeded; the oldest are forgotten. */
  readonly recent: readonly boolean[];
}

const REMEMBERED_CONNECTS = 60;

export const emptyTally: Tally = {
  accessToken: undefined,
  federatedToken: undefined,
  accessTokenRotations: 0,
  federatedTokenRotations: 0,
  failedRefreshes: 0,
  lastFailure: undefined,
  failing: false,
  connects: {
    ok: 0,
    failed: 0,
    shortestMs: Number.POSITIVE_INFINITY,
    longestMs: 0,
    last: undefined,
    lastError: undefined,
    recent: [],
  },
};

export function count(tally: Tally, event: DemoEvent): Tally {
  switch (event.kind) {
    case 'demo':
      return tally;
    case 'kubelet': {
      const { atMs, expiresAtMs } = event;
      return { ...tally, federatedToken: { sinceMs: atMs, expiresAtMs } };
    }
    case 'pgpassd':
      return countDaemonLine(tally, event.line, event.atMs);
    case 'metrics':
      return { ...tally, failedRefreshes: event.failedRefreshes };
    case 'client':
      return { ...tally, connects: countConnect(tally.connects, event.connect) };
  }
}

function countDaemonLine(tally: Tally, line: DaemonLine, atMs: number): Tally {
  switch (line.event) {
    case 'token.refreshed': {
      const { tokenExpiresAtMs, nextRefreshInMs = 0 } = line;
      // The token had expired before it could be published.
      if (tokenExpiresAtMs === undefined) return tally;
      const isFirst = tally.accessToken === undefined;
      return {
        ...tally,
        failing: false,
        accessToken: {
          sinceMs: atMs,
          expiresAtMs: tokenExpiresAtMs,
          refreshAtMs: atMs + nextRefreshInMs,
        },
        accessTokenRotations: isFirst ? 0 : tally.accessTokenRotations + 1,
      };
    }
    case 'federated-token.changed':
      return { ...tally, federatedTokenRotations: tally.federatedTokenRotations + 1 };
    case 'refresh.failed':
      return {
        ...tally,
        failing: true,
        lastFailure: failureOf(line),
      };
    default:
      return tally;
  }
}

/** The message of a failure continues with the remedy, which the demo shows separately. */
function failureOf({ message, remedy = '' }: DaemonLine): Failure {
  const end = remedy === '' ? -1 : message.indexOf(remedy);
  return { message: (end < 0 ? message : message.slice(0, end)).trim(), remedy };
}

function countConnect(connects: ConnectTally, connect: Connect): ConnectTally {
  const { ok, tookMs, error } = connect;
  const recent = [...connects.recent, ok].slice(-REMEMBERED_CONNECTS);
  const seen = { ...connects, last: connect, recent };
  if (!ok) return { ...seen, failed: connects.failed + 1, lastError: error };
  return {
    ...seen,
    ok: connects.ok + 1,
    shortestMs: Math.min(connects.shortestMs, tookMs),
    longestMs: Math.max(connects.longestMs, tookMs),
  };
}
