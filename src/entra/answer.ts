import { type AccessToken, LONGEST_LIFE_SECONDS, LONGEST_TOKEN } from '../support/access-token.ts';
import { isRecord } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import { type ClockReading, lifeOf, ourClock } from '../support/token-life.ts';
import { badAnswer, explainFailure, singleHeader } from './failure.ts';
import type { RefusedIdentity } from './remedies.ts';
import { parseHttpDate } from './retry-after.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface AnswerContext {
  readonly identity: RefusedIdentity;
  readonly correlationId: string;
  /** Our wall clock when the answer came. */
  readonly nowMs: number;
}

/** The beginning of a JSON object, or nothing at all: an answer that was cut short. */
const BROKEN_OFF = /^\s*(?:\{|$)/;

/**
 * What the token endpoint's answer means: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 *
 * @throws PgpassdError `entra.refused`, `entra.throttled`, `entra.unavailable` or `entra.bad-answer`
 */
export function interpretAnswer(answer: RawAnswer, context: AnswerContext): AccessToken {
  const body = parseJson(answer.body);
  if (answer.status !== 200) throw explainFailure(answer, body, context);
  if (body === undefined) {
    const nature = BROKEN_OFF.test(answer.body) ? 'transient' : 'operator';
    throw badAnswer(answer, context, 'it is not a JSON object', nature);
  }
  const token = body['access_token'];
  if (typeof token !== 'string' || !new Secret(token).isPrintable()) {
    throw badAnswer(answer, context, 'access_token is not printable ASCII without blanks');
  }
  if (token.length > LONGEST_TOKEN) {
    throw badAnswer(answer, context, 'access_token is longer than PostgreSQL reads');
  }
  const statedSeconds = positiveNumber(body['expires_in']);
  if (statedSeconds === undefined || statedSeconds > LONGEST_LIFE_SECONDS) {
    throw badAnswer(answer, context, 'expires_in is not a believable number of seconds');
  }
  const tokenType = body['token_type'] ?? 'Bearer';
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    throw badAnswer(answer, context, 'token_type is not Bearer');
  }
  const secret = new Secret(token);
  const { clock, ageSeconds } = clockOf(answer, context);
  const expiresOn = positiveNumber(body['expires_on']);
  const stated = {
    expiresInSeconds: statedSeconds - ageSeconds,
    endsAtMs: expiresOn === undefined ? [] : [expiresOn * 1000],
    claims: secret.jwtClaims(),
  };
  const life = lifeOf(stated, clock);
  if (typeof life !== 'object') {
    throw badAnswer(answer, context, `access_token ${life}`, 'operator', FRESH_ANSWER);
  }
  const refreshInSeconds = positiveNumber(body['refresh_in']);
  return {
    token: secret,
    ...life,
    ...(refreshInSeconds !== undefined && { refreshInSeconds }),
  };
}

const FRESH_ANSWER =
  'See whether a proxy or gateway on the way to Entra keeps answers, and compare the clock of the node with the right time.';

interface AnswerClock {
  readonly clock: ClockReading;
  /** How long ago the answer was made, if a cache says so. */
  readonly ageSeconds: number;
}

/**
 * The time by the clock of the issuer, which the answer's Date tells, and by its Age, which a cache adds:
 * RFC 9110 section 6.6.1, RFC 9111 section 5.1. A cache may keep quiet about itself: then the Date is as
 * old as the answer, and counts as its age. Only an answer that names this very request is surely new.
 */
function clockOf(answer: RawAnswer, { correlationId, nowMs }: AnswerContext): AnswerClock {
  const age = singleHeader(answer, 'age') ?? '';
  const statedAgeSeconds = /^\d{1,10}$/.test(age) ? Number(age) : 0;
  const dateMs = parseHttpDate(singleHeader(answer, 'date') ?? '');
  const issuersNowMs = dateMs + statedAgeSeconds * 1000;
  const ours = ourClock(nowMs);
  const namedId = singleHeader(answer, 'client-request-id');
  const isNew = namedId === correlationId;
  const isOld = !isNew && nowMs - issuersNowMs > ours.uncertaintyMs;
  const isOfAnother = namedId !== undefined && !isNew;
  if (!Number.isNaN(dateMs) && !isOld && !isOfAnother) {
    return { clock: { nowMs: issuersNowMs, uncertaintyMs: 0 }, ageSeconds: statedAgeSeconds };
  }
  return { clock: ours, ageSeconds: isOld ? (nowMs - dateMs) / 1000 : statedAgeSeconds };
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Entra sends numbers; its older endpoints and some proxies send their decimal digits. */
function positiveNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}
