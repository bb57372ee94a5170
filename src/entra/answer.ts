import {
  type AccessToken,
  type ClockReading,
  LONGEST_LIFE_MS,
  LONGEST_TOKEN,
  lifeOf,
  ourClock,
} from '../support/access-token.ts';
import type { Instant } from '../support/clock.ts';
import {
  type ErrorDetails,
  errorOf,
  type Failure,
  failure,
  type Nature,
  type PgpassdError,
} from '../support/errors.ts';
import { isRecord } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import { GUID, UNPRINTABLE } from '../support/text.ts';
import {
  documentedCodes,
  explainRefusal,
  type RefusalCode,
  type RefusedIdentity,
  wordsOf,
} from './failure.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface AnswerContext {
  readonly identity: RefusedIdentity;
  readonly correlationId: string;
  /** When the request was sent: the life of the token is counted from there. */
  readonly askedAt: Instant;
  /** Our wall clock when the answer came. */
  readonly nowMs: number;
}

type Body = Readonly<Record<string, unknown>>;

export const badAnswer = failure<'problem'>('bad-answer', 'entra.bad-answer', ({ problem }) => ({
  found: `the token endpoint's answer cannot be used: ${problem}`,
  remedy: 'Check that AZURE_AUTHORITY_HOST (--authority-host) and the proxy lead to Entra.',
}));

export const staleAnswer = failure<'problem'>(
  'stale-answer',
  'entra.bad-answer',
  ({ problem }) => ({
    found: `the token endpoint's answer cannot be used: access_token ${problem}`,
    remedy:
      'Check whether a proxy or gateway in front of Entra caches answers, and compare the clock of the node with the correct time.',
  }),
);

const refusalKind = (id: string, code: RefusalCode, headline: string) =>
  failure<'status' | keyof RefusedIdentity>(id, code, (values) => ({
    found: `${headline} (${values.status})`,
    remedy: explainRefusal({ code }, values).remedy,
  }));

/** Answers in Entra's words that hold no token; a known AADSTS code or `error` replaces the remedy. */
export const refusalKinds = {
  'entra.refused': refusalKind('entra-refused', 'entra.refused', 'Entra refused the exchange'),
  'entra.throttled': refusalKind(
    'entra-throttled',
    'entra.throttled',
    'Entra throttles this identity',
  ),
  'entra.unavailable': refusalKind(
    'entra-unavailable',
    'entra.unavailable',
    'Entra is unavailable',
  ),
};

/** The beginning of a JSON object, or nothing at all: an answer that was cut short. */
const CUT_SHORT = /^\s*(?:\{|$)/;

/**
 * The access token in the token endpoint's answer:
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 *
 * @throws PgpassdError `entra.refused`, `entra.throttled`, `entra.unavailable` or `entra.bad-answer`
 */
export function interpretAnswer(answer: RawAnswer, context: AnswerContext): AccessToken {
  const body = parseJson(answer.body);
  if (answer.status !== 200) throw refusalError(answer, body, context);
  const bad = (problem: string, nature?: Nature) =>
    answerError(badAnswer({ problem }), answer, context, nature);
  if (body === undefined) {
    throw bad('it is not a JSON object', CUT_SHORT.test(answer.body) ? 'transient' : 'operator');
  }
  const token = tokenIn(body, bad);
  const statedMs = positiveMs(body['expires_in']);
  if (statedMs === undefined || statedMs > LONGEST_LIFE_MS) {
    throw bad('expires_in is not a believable number of seconds');
  }
  const tokenType = body['token_type'] ?? 'Bearer';
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    throw bad('token_type is not Bearer');
  }
  const { clock, ageMs } = clockOf(answer, context);
  const expiresOnMs = positiveMs(body['expires_on']);
  const stated = {
    expiresInMs: statedMs - ageMs,
    endsAtMs: expiresOnMs === undefined ? [] : [expiresOnMs],
    claims: token.jwtClaims(),
  };
  const life = lifeOf(stated, clock, context.askedAt);
  if (typeof life !== 'object') {
    throw answerError(staleAnswer({ problem: String(life) }), answer, context);
  }
  const refreshInMs = positiveMs(body['refresh_in']);
  return { token, life, ...(refreshInMs !== undefined && { refreshInMs }) };
}

function tokenIn(body: Body, bad: (problem: string) => PgpassdError): Secret {
  const text = body['access_token'];
  const token = typeof text === 'string' ? new Secret(text) : undefined;
  if (token?.isPrintable() !== true) {
    throw bad('access_token is not printable ASCII without blanks');
  }
  if (token.length > LONGEST_TOKEN) throw bad('access_token is longer than PostgreSQL reads');
  return token;
}

interface AnswerClock {
  readonly clock: ClockReading;
  /** How long ago the answer was made, if a cache says so. */
  readonly ageMs: number;
}

/**
 * The issuer's time: the answer's Date and the Age that a cache adds, RFC 9110 section 6.6.1 and RFC 9111
 * section 5.1. A cache may not identify itself: then the Date is as old as the answer, and gives its age.
 * Only an answer that names this very request is certainly new.
 */
function clockOf(answer: RawAnswer, { correlationId, nowMs }: AnswerContext): AnswerClock {
  const age = singleHeader(answer, 'age') ?? '';
  const statedAgeMs = /^\d{1,10}$/.test(age) ? Number(age) * 1000 : 0;
  const dateMs = parseHttpDate(singleHeader(answer, 'date') ?? '');
  const issuersNowMs = dateMs + statedAgeMs;
  const ours = ourClock(nowMs);
  const namedId = singleHeader(answer, 'client-request-id');
  const isNew = namedId === correlationId;
  const isOld = !isNew && nowMs - issuersNowMs > ours.uncertaintyMs;
  const isOfAnother = namedId !== undefined && !isNew;
  if (!Number.isNaN(dateMs) && !isOld && !isOfAnother) {
    return { clock: { nowMs: issuersNowMs, uncertaintyMs: 0 }, ageMs: statedAgeMs };
  }
  return { clock: ours, ageMs: isOld ? nowMs - dateMs : statedAgeMs };
}

function parseJson(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Of seconds. Entra sends numbers; its older endpoints and some proxies send their decimal digits. */
function positiveMs(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0
    ? number * 1000
    : undefined;
}

/** How long MSAL waits after a throttle that does not say how long it lasts. */
const UNSTATED_THROTTLE_MS = 60_000;

/** An answer other than 200, with the JSON object in its body if there is one. */
function refusalError(
  answer: RawAnswer,
  body: Body | undefined,
  context: AnswerContext,
): PgpassdError {
  const { status } = answer;
  const error = body?.['error'];
  const code = refusalCode(status, error);
  if (code === undefined) {
    return answerError(
      badAnswer({ problem: `status ${status} without an OAuth error` }),
      answer,
      context,
    );
  }
  const description = textOf(body?.['error_description']);
  const aadsts = aadstsOf(description, body?.['error_codes']);
  const words = wordsOf(context.identity);
  const { nature, remedy, isReportable } = explainRefusal({ code, aadsts, error }, words);
  const reason = refusalKinds[code]({ status, ...words });
  const retryAfterMs = retryAfterOf(answer, context.nowMs);
  const said = quoteOf(description, aadsts);
  const found = said === '' ? reason.found : `${reason.found}: ${said}`;
  return errorOf(
    { ...reason, found, remedy },
    {
      isReportable,
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

/** An answer that does not come from Entra, or cannot be used. */
function answerError(
  reason: Failure,
  answer: RawAnswer,
  context: AnswerContext,
  nature: Nature = 'operator',
): PgpassdError {
  return errorOf(reason, { details: { nature, ...idsOf(answer, context) } });
}

/** The kind of a refusal; `undefined` for a redirect, or a 4xx without an OAuth error: Entra does not answer so. */
function refusalCode(status: number, error: unknown): RefusalCode | undefined {
  if (status === 429) return 'entra.throttled';
  if (status === 408 || status >= 500 || error === 'temporarily_unavailable') {
    return 'entra.unavailable';
  }
  return status >= 400 && typeof error === 'string' ? 'entra.refused' : undefined;
}

/** The code that the description begins with, or else the first of `error_codes` that is documented. */
function aadstsOf(description: string, errorCodes: unknown): number | undefined {
  const prefix = /^AADSTS(\d{1,10})\b/.exec(description)?.[1];
  if (prefix !== undefined) return Number(prefix);
  const listed: readonly unknown[] = Array.isArray(errorCodes) ? errorCodes : [];
  const codes = listed.filter((each) => typeof each === 'number');
  return codes.find((each) => documentedCodes.includes(each));
}

const LONGEST_QUOTE = 400;

/** Where Entra's words end: at the ids, which have fields of their own. */
const END_OF_WORDS = String.raw`\s+Trace ID:|${UNPRINTABLE.source}`;

/**
 * How much of Entra's words is quoted. The first sentence of a code that has a remedy of ours; all of an
 * unknown one, since what to do may stand in what follows.
 */
const ends = {
  known: new RegExp(String.raw`(?<=[.!?])\s+(?=\p{Lu}|https?:)|${END_OF_WORDS}`, 'u'),
  unknown: new RegExp(END_OF_WORDS, 'u'),
};

/** Entra's own words, cut to a bounded length before anything looks for their end. */
function quoteOf(description: string, aadsts: number | undefined): string {
  const isKnown = aadsts !== undefined && documentedCodes.includes(aadsts);
  const end = isKnown ? ends.known : ends.unknown;
  const [said = ''] = description.slice(0, LONGEST_QUOTE).split(end, 1);
  const whole = said.length < LONGEST_QUOTE || description.length === LONGEST_QUOTE;
  return whole ? said.trimEnd() : `${said}…`;
}

function retryAfterOf(answer: RawAnswer, nowMs: number): number | undefined {
  const statedMs = parseRetryAfterMs(singleHeader(answer, 'retry-after'), nowMs);
  return statedMs ?? (answer.status === 429 ? UNSTATED_THROTTLE_MS : undefined);
}

/** The bounds of a Retry-After, whatever a server says. */
const SHORTEST_RETRY_AFTER_MS = 1_000;
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** RFC 9110 section 10.2.3: seconds or an HTTP date. `undefined` when it is neither. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1000 : parseHttpDate(text) - nowMs;
  if (Number.isNaN(delayMs)) return undefined;
  return Math.min(Math.max(delayMs, SHORTEST_RETRY_AFTER_MS), LONGEST_RETRY_AFTER_MS);
}

/**
 * Milliseconds since the epoch, or NaN. An HTTP date begins with the name of its day; `Date.parse` alone
 * would read a bare number as a month.
 */
function parseHttpDate(text: string): number {
  return /^[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
}

function idsOf(answer: RawAnswer, context: AnswerContext): ErrorDetails {
  return {
    status: answer.status,
    correlationId: context.correlationId,
    ...guidField('traceId', singleHeader(answer, 'x-ms-request-id')),
  };
}

/** An id is passed on only if it has the form of one: nothing else of an answer belongs in a log. */
function guidField<K extends string>(name: K, value: unknown): { [key in K]?: string } {
  return typeof value === 'string' && GUID.test(value)
    ? ({ [name]: value } as { [key in K]: string })
    : {};
}

function singleHeader(answer: RawAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
