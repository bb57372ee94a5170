import type { Connect, DaemonLine, Happening } from './happening.ts';

/** A token that is in place, as far as the demo was told. */
export interface TokenLife {
  readonly sinceMs: number;
  readonly expiresAtMs: number;
  readonly refreshAtMs?: number;
}

interface Trouble {
  readonly message: string;
  readonly remedy: string;
}

/** What has happened so far, in numbers. */
export interface Tally {
  readonly accessToken: TokenLife | undefined;
  readonly federatedToken: TokenLife | undefined;
  /** Tokens after the first one. */
  readonly accessTokenRotations: number;
  /** As noticed by pgpassd. */
  readonly federatedTokenRotations: number;
  readonly failedRefreshes: number;
  readonly lastTrouble: Trouble | undefined;
  /** Whether the last refresh failed. */
  readonly troubled: boolean;
  readonly connects: ConnectTally;
}

export interface ConnectTally {
  readonly ok: number;
  readonly failed: number;
  /** Of those that were let in. */
  readonly shortestMs: number;
  readonly longestMs: number;
  readonly last: Connect | undefined;
  readonly lastError: string | undefined;
  /** Whether each was let in; the oldest are forgotten. */
  readonly recent: readonly boolean[];
}

const REMEMBERED_CONNECTS = 60;

export const emptyTally: Tally = {
  accessToken: undefined,
  federatedToken: undefined,
  accessTokenRotations: 0,
  federatedTokenRotations: 0,
  failedRefreshes: 0,
  lastTrouble: undefined,
  troubled: false,
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

export function count(tally: Tally, happening: Happening): Tally {
  switch (happening.kind) {
    case 'demo':
      return tally;
    case 'kubelet': {
      const { atMs, expiresAtMs } = happening;
      return { ...tally, federatedToken: { sinceMs: atMs, expiresAtMs } };
    }
    case 'pgpassd':
      return countDaemonLine(tally, happening.line, happening.atMs);
    case 'client':
      return { ...tally, connects: countConnect(tally.connects, happening.connect) };
  }
}

function countDaemonLine(tally: Tally, line: DaemonLine, atMs: number): Tally {
  switch (line.event) {
    case 'token.refreshed': {
      const { tokenExpiresAtMs, nextRefreshInMs = 0 } = line;
      // It came and was gone: nothing is in place.
      if (tokenExpiresAtMs === undefined) return tally;
      const isFirst = tally.accessToken === undefined;
      return {
        ...tally,
        troubled: false,
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
        troubled: true,
        failedRefreshes: tally.failedRefreshes + 1,
        lastTrouble: troubleOf(line),
      };
    default:
      return tally;
  }
}

/** The message of a failure goes on with the remedy, which the demo shows apart. */
function troubleOf({ message, remedy = '' }: DaemonLine): Trouble {
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
