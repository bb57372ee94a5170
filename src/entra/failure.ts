import { type ErrorCode, type ErrorDetails, type Nature, PgpassdError } from '../support/errors.ts';
import { GUID, UNPRINTABLE } from '../support/text.ts';
import { meaningOf } from './aadsts.ts';
import type { AnswerContext, RawAnswer } from './answer.ts';
import { inWords, type Meaning, type Verdict } from './meaning.ts';
import * as say from './remedies.ts';
import { parseRetryAfterMs } from './retry-after.ts';

type Body = Readonly<Record<string, unknown>>;

/** What MSAL waits for after a throttle that does not say how long it lasts. */
const UNTOLD_THROTTLE_MS = 60_000;

const LONGEST_SENTENCE = 400;

const headlines = {
  'entra.refused': 'Entra refused the exchange',
  'entra.throttled': 'Entra throttles this identity',
  'entra.unavailable': 'Entra failed',
} as const satisfies Partial<Record<ErrorCode, string>>;

type FailureCode = keyof typeof headlines;

const throttled: Verdict = { nature: 'transient', remedy: say.slowDown };
const unavailable: Verdict = { nature: 'transient', remedy: say.waitForEntra };
const refused: Verdict = { nature: 'operator', remedy: say.compareIdentity };

/** What a refusal means by its `error` alone: RFC 6749 section 5.2, and Entra's own two. */
const refusals = new Map<unknown, Verdict>([
  ['invalid_client', { nature: 'propagating', remedy: say.matchAll }],
  ['unauthorized_client', { nature: 'operator', remedy: say.checkClient }],
  ['invalid_tenant', { nature: 'operator', remedy: say.checkTenant }],
  ['invalid_scope', { nature: 'operator', remedy: say.checkScope }],
  ['invalid_resource', { nature: 'operator', remedy: say.findResource }],
  ['invalid_request', { nature: 'ours', remedy: say.fitRequest }],
  ['unsupported_grant_type', { nature: 'ours', remedy: say.fitRequest }],
]);

/** An answer other than 200, with the JSON object in its body if there is one. */
export function explainFailure(
  answer: RawAnswer,
  body: Body | undefined,
  context: AnswerContext,
): PgpassdError {
  const code = failureCode(answer.status, body?.['error']);
  if (code === undefined) {
    return badAnswer(answer, context, `status ${answer.status} without an OAuth error`);
  }
  const description = textOf(body?.['error_description']);
  const { aadsts, meaning } = documentedMeaning(description, body?.['error_codes'], context);
  const { nature, remedy } =
    (code === 'entra.throttled' ? undefined : meaning) ??
    inWords(verdictOf(code, body?.['error']), context.identity);
  const retryAfterMs = retryAfterOf(answer, context.nowMs);
  const said = firstSentence(description);
  return new PgpassdError(
    code,
    `${headlines[code]} (${answer.status})${said && `: ${said}`}`,
    remedy,
    {
      details: {
        nature,
        ...idsOf(answer, context),
        ...(aadsts !== undefined && { aadsts: `AADSTS${aadsts}` }),
        ...guidField('correlationId', body?.['correlation_id']),
        ...guidField('traceId', body?.['trace_id']),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      },
    },
  );
}

/** An answer that is not Entra's, or of no use: `what` says why. */
export function badAnswer(
  answer: RawAnswer,
  context: AnswerContext,
  what: string,
  nature: Nature = 'operator',
  remedy = 'Check that AZURE_AUTHORITY_HOST (--authority-host) and the proxy lead to Entra.',
): PgpassdError {
  return new PgpassdError(
    'entra.bad-answer',
    `the token endpoint's answer cannot be used: ${what}`,
    remedy,
    { details: { nature, ...idsOf(answer, context) } },
  );
}

/** A redirect, or a refusal that is not in OAuth's words, comes from something else than Entra. */
function failureCode(status: number, error: unknown): FailureCode | undefined {
  if (status === 429) return 'entra.throttled';
  if (status === 408 || status >= 500 || error === 'temporarily_unavailable') {
    return 'entra.unavailable';
  }
  return status >= 400 && typeof error === 'string' ? 'entra.refused' : undefined;
}

function verdictOf(code: FailureCode, error: unknown): Verdict {
  if (code === 'entra.throttled') return throttled;
  return code === 'entra.unavailable' ? unavailable : (refusals.get(error) ?? refused);
}

/** The code that the description begins with, or else the first of `error_codes` that we know. */
function documentedMeaning(
  description: string,
  errorCodes: unknown,
  { identity }: AnswerContext,
): { readonly aadsts?: number; readonly meaning?: Meaning } {
  const prefix = /^AADSTS(\d{1,10})\b/.exec(description)?.[1];
  const listed: readonly unknown[] = Array.isArray(errorCodes) ? errorCodes : [];
  const candidates = prefix === undefined ? listed : [Number(prefix)];
  for (const aadsts of candidates) {
    const meaning = typeof aadsts === 'number' ? meaningOf(aadsts, identity) : undefined;
    if (meaning !== undefined) return { aadsts: Number(aadsts), meaning };
  }
  return prefix === undefined ? {} : { aadsts: Number(prefix) };
}

/** Where Entra's first sentence ends: at the ids, which have fields of their own, or at its end. */
const END_OF_SENTENCE = new RegExp(
  String.raw`\s+Trace ID:|(?<=[.!?])\s+(?=\p{Lu}|https?:)|${UNPRINTABLE.source}`,
  'u',
);

/** Entra's own words, cut to a bounded length before anything looks for their end. */
function firstSentence(description: string): string {
  const [said = ''] = description.slice(0, LONGEST_SENTENCE).split(END_OF_SENTENCE, 1);
  const whole = said.length < LONGEST_SENTENCE || description.length === LONGEST_SENTENCE;
  return whole ? said.trimEnd() : `${said}…`;
}

function retryAfterOf(answer: RawAnswer, nowMs: number): number | undefined {
  const toldMs = parseRetryAfterMs(singleHeader(answer, 'retry-after'), nowMs);
  return toldMs ?? (answer.status === 429 ? UNTOLD_THROTTLE_MS : undefined);
}

function idsOf(answer: RawAnswer, context: AnswerContext): ErrorDetails {
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

export function singleHeader(answer: RawAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
