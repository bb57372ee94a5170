import { type AccessToken, LONGEST_LIFE_SECONDS, LONGEST_TOKEN } from '../support/access-token.ts';
import { isRecord } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import { badAnswer, explainFailure } from './failure.ts';
import type { RefusedIdentity } from './remedies.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface AnswerContext {
  readonly identity: RefusedIdentity;
  readonly correlationId: string;
  /** Wall clock when the answer came, for a Retry-After date. */
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
  const expiresInSeconds = positiveNumber(body['expires_in']);
  if (expiresInSeconds === undefined || expiresInSeconds > LONGEST_LIFE_SECONDS) {
    throw badAnswer(answer, context, 'expires_in is not a believable number of seconds');
  }
  const tokenType = body['token_type'] ?? 'Bearer';
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    throw badAnswer(answer, context, 'token_type is not Bearer');
  }
  const refreshInSeconds = positiveNumber(body['refresh_in']);
  return {
    token: new Secret(token),
    expiresInSeconds,
    ...(refreshInSeconds !== undefined && { refreshInSeconds }),
  };
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
