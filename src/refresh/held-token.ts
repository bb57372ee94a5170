import type { AccessToken } from '../support/access-token.ts';
import type { Instant, Wait } from '../support/clock.ts';
import { errorOf, failure } from '../support/errors.ts';
import type { Secret } from '../support/secret.ts';
import type { RefreshCause, TokenInPlace } from './events.ts';
import {
  adoptedDelayMs,
  adoptedLife,
  dueAfter,
  type FoundLife,
  leftMs,
  refreshDelayMs,
} from './schedule.ts';

/** A token that is in the passfile, or about to be written to it. */
export interface HeldToken extends Pick<AccessToken, 'token' | 'life'> {
  /** From the beginning of its life until it is due for a refresh. */
  readonly due: Wait;
  /** It was found in the passfile, and claims a longer life than its issuer grants. */
  readonly doubtful?: boolean;
}

/** What a schedule depends on in addition to the token. */
export interface Circumstances {
  readonly now: Instant;
  /** The share of a token's life after which it is refreshed. */
  readonly fraction: number;
  /** A new number in [0, 1) for each call. */
  readonly random: () => number;
}

/** What is known of a token in the passfile; `undefined` when it has expired. */
export function inPlace({ life }: HeldToken, now: Instant): TokenInPlace | undefined {
  const remainingMs = leftMs(life, now);
  if (remainingMs <= 0) return undefined;
  const { since, delayMs: lifeMs, endsAtMs } = life;
  // Computed from the clock, the end varies by milliseconds from call to call; the planned one does not.
  const ownEndMs = snap(now.wallMs + remainingMs, since.wallMs + lifeMs);
  const expiresAtMs = endsAtMs === undefined ? ownEndMs : snap(endsAtMs, ownEndMs);
  return { expiresAtMs, remainingMs, lifeMs };
}

/** A `Date` header counts whole seconds, and a response takes a while: within this, two moments are the same. */
const COARSENESS_MS = 2_000;

function snap(ms: number, toMs: number): number {
  return Math.abs(ms - toMs) <= COARSENESS_MS ? toMs : ms;
}

/** A token that an earlier run left in the passfile. */
export function adopted(
  found: FoundLife & { readonly token: Secret },
  { now, fraction, random }: Circumstances,
): HeldToken {
  const { life, believable } = adoptedLife(found, now);
  const passedMs = life.delayMs - leftMs(life, now);
  const wish = { ...plainWish, lifeMs: life.delayMs, fraction, random: random() };
  const delayMs = believable ? adoptedDelayMs(wish, passedMs, random()) : 0;
  return { token: found.token, life, due: dueAfter(life, delayMs), doubtful: !believable };
}

export interface SourceAnswer {
  readonly issued: AccessToken;
  readonly cause: RefreshCause;
}

/**
 * The token to keep after an answer. If the source returned the current token again, its expiry stays,
 * whatever the answer says. If it returned one that expires earlier, the current token stays, unless an
 * operator or a new identity asked for another: a source that caches tokens has to offer a better one.
 *
 * @throws PgpassdError `token-source.failed` when the answer's token has expired in the meantime
 */
export function received(
  { issued, cause }: SourceAnswer,
  held: HeldToken | undefined,
  circumstances: Circumstances,
): HeldToken {
  const { token, refreshInMs } = issued;
  const { now, fraction, random } = circumstances;
  const again = held?.token.equals(token) ? held : undefined;
  const { life } = again ?? issued;
  const validForMs = leftMs(life, now);
  if (validForMs <= 0) throw errorOf(tokenExpiredOnArrival());
  if (again) return postponed(again, circumstances);
  const better = held && !held.doubtful && leftMs(held.life, now) > validForMs;
  if (better && cause === 'due') return postponed(held, circumstances);
  const delayMs = refreshDelayMs({
    lifeMs: life.delayMs,
    refreshInMs,
    fraction,
    random: random(),
    sameToken: false,
  });
  return { token, life, due: dueAfter(life, delayMs) };
}

const plainWish = { refreshInMs: undefined, sameToken: false } as const;

/** The current token, to be refreshed later. */
function postponed(
  { token, life }: HeldToken,
  { now, fraction, random }: Circumstances,
): HeldToken {
  const validForMs = leftMs(life, now);
  const wish = { ...plainWish, lifeMs: validForMs, fraction, random: random(), sameToken: true };
  return { token, life, due: dueAfter(life, life.delayMs - validForMs + refreshDelayMs(wish)) };
}

export const tokenExpiredOnArrival = failure(
  'token-expired-on-arrival',
  'token-source.failed',
  () => ({
    found: 'the obtained token had expired before it could be written to the passfile',
    remedy:
      'Check whether something between pgpassd and the issuer of its tokens returns cached tokens.',
  }),
);
