import { parseEntries } from './config/entry.ts';
import { ValueError } from './config/values.ts';
import type { Entry } from './passfile/format.ts';
import { composeRefresher, type PassfileRefresher } from './refresh/create-refresher.ts';
import type { RefreshEvent } from './refresh/events.ts';
import { fetchFrom, type TokenSource } from './refresh/token-source.ts';
import { type Clock, systemClock } from './support/clock.ts';
import { PgpassdError } from './support/errors.ts';
import type { JwtClaims } from './support/jwt.ts';
import { KnownSecrets } from './support/secret.ts';

export type { Entry } from './passfile/format.ts';
export type { PassfileRefresher } from './refresh/create-refresher.ts';
export type { Damage, RefreshCause, RefreshEvent, TokenInPlace } from './refresh/events.ts';
export type { Turn } from './refresh/schedule.ts';
export type { IssuedToken, TokenSource } from './refresh/token-source.ts';
export type { Clock, Instant } from './support/clock.ts';
export { type ErrorCode, PgpassdError } from './support/errors.ts';
export type { JwtClaims } from './support/jwt.ts';
export { Secret } from './support/secret.ts';

export interface RefresherOptions {
  /** The file to write. */
  readonly passfile: string;
  /** Who the token is for, in order, as `host:port:database:user`, as connection strings, or parsed. */
  readonly entries?: readonly (string | Entry)[];
  /** Instead of entries: a passfile whose managed lines have the password `${token}`. */
  readonly template?: string;
  readonly source: TokenSource;
  /** 0o600 unless told otherwise; libpq ignores a file with any group or world bit. */
  readonly mode?: 0o600 | 0o400;
  /** Set before the file is published; whoever the file system gives it to when absent. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Refresh when this share of a token's life has passed: 0.5 unless told otherwise. */
  readonly refreshFraction?: number;
  /** Whether a token found in a passfile already in place, by its claims, is one of the source's. */
  readonly isOurs?: (claims: JwtClaims) => boolean;
  /** Everything worth telling; none of it holds a token. */
  readonly onEvent?: (event: RefreshEvent) => void;
  readonly clock?: Clock;
}

/**
 * Keeps a passfile current with tokens of the caller's own source.
 *
 * @throws PgpassdError `config.invalid`
 * - when there are both entries and a template, or neither;
 * - when the template or an entry cannot be used;
 * - when the template and the passfile are one file;
 * - when the passfile would be too large to be read;
 * - when pgpassd did not write the file in the passfile's place, and there are entries. With a template, which
 *   says what the whole file is to be, it is kept beside the passfile instead; what cannot be kept, such as a
 *   FIFO, is refused.
 */
export async function createRefresher(options: RefresherOptions): Promise<PassfileRefresher> {
  const { clock = systemClock, entries = [], template } = options;
  if ((template === undefined) === (entries.length === 0)) {
    throw new PgpassdError(
      'config.invalid',
      `createRefresher was given ${template === undefined ? 'neither entries nor' : 'both entries and'} a template`,
      'Give it the one or the other.',
    );
  }
  return await composeRefresher({
    passfile: options.passfile,
    entries: entries.flatMap(asEntries),
    template,
    fetchToken: fetchFrom(options.source, clock),
    mode: options.mode ?? 0o600,
    owner: options.owner,
    refreshFraction: options.refreshFraction ?? 0.5,
    isOurs: options.isOurs ?? (() => true),
    onEvent: options.onEvent ?? (() => undefined),
    clock,
    secrets: new KnownSecrets(),
  });
}

function asEntries(entry: string | Entry): readonly Entry[] {
  if (typeof entry !== 'string') return [entry];
  try {
    return parseEntries(entry);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new PgpassdError(
      'config.invalid',
      `an entry cannot be used: ${error.message}`,
      'Write it as host:port:database:user, or as a connection string without a password.',
    );
  }
}
