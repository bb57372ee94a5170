import { type AccessToken, lifeOf, ourClock } from '../support/access-token.ts';
import type { Clock } from '../support/clock.ts';
import { errorOf, failure, PgpassdError } from '../support/errors.ts';
import { Secret } from '../support/secret.ts';

/** A token and its end. */
export interface IssuedToken {
  /** Printable ASCII without blanks: it becomes one field of one line of a file. */
  readonly token: string | Secret;
  readonly expiresAt: Date;
  /** When the issuer wishes to be asked again. */
  readonly refreshAt?: Date;
}

/**
 * Where tokens come from. May reject: the token in place stays, and the source is asked again.
 * Should end when `signal` aborts.
 */
export type TokenSource = (signal: AbortSignal) => Promise<IssuedToken>;

const tokenSourceFailed = failure<'problem'>(
  'token-source-failed',
  'token-source.failed',
  ({ problem }) => ({
    found: `the token source did not return a usable token: ${problem}`,
    remedy: 'Check the source that was given to createRefresher.',
  }),
);

/** A source of the public API as a source of access tokens. */
export function fetchFrom(
  source: TokenSource,
  clock: Clock,
): (signal: AbortSignal) => Promise<AccessToken> {
  return async (signal) => {
    const askedAt = clock.now();
    const { token, expiresAt, refreshAt } = await ask(source, signal);
    const secret = typeof token === 'string' ? new Secret(token) : token;
    if (!secret.isPrintable()) throw unusable('the token is not printable ASCII without blanks');
    const expiresInMs = expiresAt.getTime() - askedAt.wallMs;
    if (Number.isNaN(expiresInMs)) throw unusable('expiresAt is not a valid date');
    const stated = { expiresInMs, endsAtMs: [], claims: secret.jwtClaims() };
    const life = lifeOf(stated, ourClock(askedAt.wallMs), askedAt);
    if (typeof life !== 'object') throw unusable(`the token ${life}`);
    if (refreshAt === undefined) return { token: secret, life };
    const refreshInMs = Math.max(0, refreshAt.getTime() - askedAt.wallMs);
    return { token: secret, life, refreshInMs };
  };
}

async function ask(source: TokenSource, signal: AbortSignal): Promise<IssuedToken> {
  try {
    return await source(signal);
  } catch (error) {
    if (signal.aborted || error instanceof PgpassdError) throw error;
    // The text of an unknown error may hold the token that the source could not use.
    throw unusable('it threw an error', error);
  }
}

function unusable(problem: string, cause?: unknown): PgpassdError {
  return errorOf(tokenSourceFailed({ problem }), { cause });
}
