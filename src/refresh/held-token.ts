import type { AccessToken } from '../support/access-token.ts';
import type { Instant, Wait } from '../support/clock.ts';
import { PgpassdError } from '../support/errors.ts';
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

/** A token that is in the passfile, or on its way there. */
export interface HeldToken extends Pick<AccessToken, 'token' | 'life'> {
  /** From the beginning of its life until it is to be refreshed. */
  readonly due: Wait;
  /** It was found in place, and claims a life that its issuer does not give. */
  readonly doubtful?: boolean;
}

/** What a schedule depends on, apart from the token. */
export interface Circumstances {
  readonly now: Instant;
  /** Share of a token's life after which it is refreshed. */
  readonly fraction: number;
  /** In [0, 1), another one each time. */
  readonly random: () => number;
}

/** What is known of a token in the passfile; `undefined` when it has expired. */
export function inPlace({ life }: HeldToken, now: Instant): TokenInPlace | undefined {
  const remainingMs = leftMs(life, now);
  if (remainingMs <= 0) return undefined;
  const { since, delayMs: lifeMs } = life;
  const endMs = now.wallMs + remainingMs;
  const { endsAtMs = endMs } = life;
  const agrees = Math.abs(endsAtMs - endMs) <= COARSENESS_MS;
  // The same at each look.
  const ourEndMs =
    Math.abs(since.wallMs + lifeMs - endMs) <= COARSENESS_MS ? since.wallMs + lifeMs : endMs;
  return { expiresAtMs: agrees ? ourEndMs : endsAtMs, remainingMs, lifeMs };
}

/** A Date tells whole seconds, and an answer takes a while: what differs by no more is the same moment. */
const COARSENESS_MS = 2_000;

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

export interface Answer {
  readonly issued: AccessToken;
  readonly cause: RefreshCause;
}

/**
 * What an answer makes of the token in the passfile. The same token again keeps its end, whatever the
 * answer says of its life. So does a token in place that ends later than the answer's, unless an operator
 * or a new identity asked for another: a source that keeps tokens has to offer a better one.
 *
 * @throws PgpassdError `token-source.failed` when the answer's token has expired meanwhile
 */
export function received(
  { issued, cause }: Answer,
  held: HeldToken | undefined,
  circumstances: Circumstances,
): HeldToken {
  const { token, refreshInMs } = issued;
  const { now, fraction, random } = circumstances;
  const again = held?.token.equals(token) ? held : undefined;
  const { life } = again ?? issued;
  const validForMs = leftMs(life, now);
  if (validForMs <= 0) throw expired();
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

/** The token in place once more, to be asked for again later. */
function postponed(
  { token, life }: HeldToken,
  { now, fraction, random }: Circumstances,
): HeldToken {
  const validForMs = leftMs(life, now);
  const wish = { ...plainWish, lifeMs: validForMs, fraction, random: random(), sameToken: true };
  return { token, life, due: dueAfter(life, life.delayMs - validForMs + refreshDelayMs(wish)) };
}

function expired(): PgpassdError {
  return new PgpassdError(
    'token-source.failed',
    'the token that was obtained had expired before it could be published',
    'See whether something between pgpassd and the issuer of its tokens hands out tokens that it has kept.',
  );
}
