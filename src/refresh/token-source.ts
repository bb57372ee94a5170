import type { AccessToken } from '../support/access-token.ts';
import type { Clock } from '../support/clock.ts';
import { PgpassdError } from '../support/errors.ts';
import { errorOf, failure } from '../support/failure.ts';
import { Secret } from '../support/secret.ts';
import { lifeOf, ourClock } from '../support/token-life.ts';

/** A token and its end. */
export interface IssuedToken {
  /** Printable ASCII without blanks: it becomes one field of one line of a file. */
  readonly token: string | Secret;
  readonly expiresAt: Date;
  /** When the issuer wishes to be asked again. */
  readonly refreshAt?: Date;
}

/**
 * Where tokens come from. May reject: the token in place serves on, and the source is asked again.
 * Should end when `signal` aborts.
 */
export type TokenSource = (signal: AbortSignal) => Promise<IssuedToken>;

/** A source's answer as the refresher counts it: from the moment of asking. */
export function fetchFrom(
  source: TokenSource,
  clock: Clock,
): (signal: AbortSignal) => Promise<AccessToken> {
  return async (signal) => {
    const askedAtMs = clock.now().wallMs;
    const { token, expiresAt, refreshAt } = await ask(source, signal);
    const secret = typeof token === 'string' ? new Secret(token) : token;
    if (!secret.isPrintable())
      throw errorOf(sourceUnusable({ problem: 'its token is not printable ASCII without blanks' }));
    const expiresInSeconds = (expiresAt.getTime() - askedAtMs) / 1000;
    if (Number.isNaN(expiresInSeconds))
      throw errorOf(sourceUnusable({ problem: 'its expiry is not a valid date' }));
    const stated = { expiresInSeconds, endsAtMs: [], claims: secret.jwtClaims() };
    const life = lifeOf(stated, ourClock(askedAtMs));
    if (typeof life !== 'object') throw errorOf(sourceUnusable({ problem: `its token ${life}` }));
    if (refreshAt === undefined) return { token: secret, ...life };
    const refreshInSeconds = Math.max(0, (refreshAt.getTime() - askedAtMs) / 1000);
    return { token: secret, ...life, refreshInSeconds };
  };
}

async function ask(source: TokenSource, signal: AbortSignal): Promise<IssuedToken> {
  try {
    return await source(signal);
  } catch (error) {
    if (signal.aborted || error instanceof PgpassdError) throw error;
    // The message of a foreign error may hold the token that it could not use.
    throw errorOf(sourceFailed(), { cause: error });
  }
}

const REMEDY = 'Look at the source that was passed to createRefresher.';

export const sourceFailed = failure('token-source-failed', 'token-source.failed', () => ({
  found: 'the token source failed',
  remedy: REMEDY,
}));

export const sourceUnusable = failure<'problem'>(
  'token-source-unusable',
  'token-source.failed',
  ({ problem }) => ({
    found: `the token source returned no usable token: ${problem}`,
    remedy: REMEDY,
  }),
);
