import type { AccessToken } from '../support/access-token.ts';
import { type ErrorCode, type ErrorDetails, PgpassdError } from '../support/errors.ts';
import { isRecord } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import { type RefusedIdentity, remedyFor } from './aadsts.ts';
import { parseRetryAfterMs } from './retry-after.ts';

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

/** Printable ASCII without blanks: the token becomes one field of one line of a file. */
const TOKEN_CHARACTERS = /^[\x21-\x7e]+$/;

/** Entra's tokens live for a day at most; nobody's for more than a year. */
const LONGEST_LIFE_SECONDS = 366 * 86_400;

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * What the token endpoint's answer means: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 *
 * @throws PgpassdError `entra.refused`, `entra.throttled`, `entra.unavailable` or `entra.bad-answer`
 */
export function interpretAnswer(answer: RawAnswer, context: AnswerContext): AccessToken {
  const body = parseJson(answer.body);
  if (answer.status !== 200) throw explainFailure(answer, body, context);
  if (body === undefined) throw badAnswer(answer, context, 'it is not a JSON object');

  const token = body['access_token'];
  if (typeof token !== 'string' || !TOKEN_CHARACTERS.test(token)) {
    throw badAnswer(answer, context, 'access_token is not printable ASCII without blanks');
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

function explainFailure(
  answer: RawAnswer,
  body: Record<string, unknown> | undefined,
  context: AnswerContext,
): PgpassdError {
  const code = failureCode(answer.status, body?.['error']);
  if (code === 'entra.bad-answer') {
    return badAnswer(answer, context, `status ${answer.status} without an OAuth error`);
  }
  const description =
    typeof body?.['error_description'] === 'string' ? body['error_description'] : '';
  const aadsts = /^AADSTS(\d+)/.exec(description)?.[1];
  const said = firstSentence(description);
  const retryAfterMs = parseRetryAfterMs(singleHeader(answer, 'retry-after'), context.nowMs);
  const details: ErrorDetails = {
    ...detailsOf(answer, context),
    ...(aadsts !== undefined && { aadsts: `AADSTS${aadsts}` }),
    ...guidField('correlationId', body?.['correlation_id']),
    ...guidField('traceId', body?.['trace_id']),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  const remedy =
    code === 'entra.refused'
      ? remedyFor(aadsts === undefined ? undefined : Number(aadsts), context.identity)
      : 'It is tried again by itself; the token in place stays usable until it expires.';
  return new PgpassdError(
    code,
    `${headlines[code]} (${answer.status})${said && `: ${said}`}`,
    remedy,
    {
      details,
    },
  );
}

const headlines = {
  'entra.refused': 'Entra refused the exchange',
  'entra.throttled': 'Entra throttles this identity',
  'entra.unavailable': 'Entra failed',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** A redirect, or a refusal that is not in OAuth's words, comes from something else than Entra. */
function failureCode(status: number, error: unknown): keyof typeof headlines | 'entra.bad-answer' {
  if (status === 429) return 'entra.throttled';
  if (status === 408 || status >= 500 || error === 'temporarily_unavailable') {
    return 'entra.unavailable';
  }
  return status >= 400 && typeof error === 'string' ? 'entra.refused' : 'entra.bad-answer';
}

/** Entra's own words without the ids that follow them, which have fields of their own. */
function firstSentence(description: string): string {
  const [said = ''] = description.split(/\s+Trace ID:|\p{Cc}/u, 1);
  return said.length > 400 ? `${said.slice(0, 400)}…` : said;
}

function badAnswer(answer: RawAnswer, context: AnswerContext, what: string): PgpassdError {
  return new PgpassdError(
    'entra.bad-answer',
    `the token endpoint's answer cannot be used: ${what}`,
    'Check that AZURE_AUTHORITY_HOST (--authority-host) and the proxy lead to Entra.',
    { details: detailsOf(answer, context) },
  );
}

function detailsOf(answer: RawAnswer, context: AnswerContext): ErrorDetails {
  return {
    status: answer.status,
    correlationId: context.correlationId,
    ...guidField('traceId', singleHeader(answer, 'x-ms-request-id')),
  };
}

/** Ids are passed on only when they are ids: the rest of an answer is not to be trusted in a log. */
function guidField<K extends string>(name: K, value: unknown): { [key in K]?: string } {
  return typeof value === 'string' && GUID.test(value)
    ? ({ [name]: value } as { [key in K]: string })
    : {};
}

function singleHeader(answer: RawAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Entra sends numbers; its older endpoints and some proxies send them as strings. */
function positiveNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}
