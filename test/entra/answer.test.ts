import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpretAnswer, type RawAnswer } from '../../src/entra/answer.ts';
import type { AccessToken } from '../../src/support/access-token.ts';
import { type ErrorCode, PgpassdError } from '../../src/support/errors.ts';

const sentId = '7a1f0c7e-9d2b-4f6c-8a53-0e9b1d2c3f40';
const traceId = 'c3d4e5f6-0718-4a2b-9c3d-4e5f60718293';
const correlationId = '11112222-3333-4444-5555-666677778888';

const context = {
  identity: {
    tenantId: 'the-tenant',
    clientId: 'the-client',
    scope: 'the-scope',
    issuer: 'https://issuer.example/',
    subject: 'system:serviceaccount:shop:legacy-app',
    audience: ['api://AzureADTokenExchange'],
  },
  correlationId: sentId,
  nowMs: Date.parse('2026-11-24T12:00:00Z'),
};

const granted = {
  token_type: 'Bearer',
  expires_in: 3599,
  ext_expires_in: 3599,
  access_token: 'header.payload.signature',
};

const answer = (status: number, body: unknown, headers: RawAnswer['headers'] = {}): RawAnswer => ({
  status,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const read = (raw: RawAnswer): AccessToken => interpretAnswer(raw, context);

function failure(raw: RawAnswer): PgpassdError {
  try {
    read(raw);
  } catch (error) {
    if (error instanceof PgpassdError) return error;
    throw error;
  }
  throw new Error('the answer was taken for a good one');
}

describe('a good answer', () => {
  test('gives the token and its life', () => {
    const { token, ...rest } = read(answer(200, granted));
    expect(token.unwrap()).toBe('header.payload.signature');
    expect(rest).toEqual({ expiresInSeconds: 3599 });
  });

  test.each<[string, object, object]>([
    ['the number as text', { expires_in: '86399' }, { expiresInSeconds: 86_399 }],
    ['a wish to be asked again', { refresh_in: 1800 }, { refreshInSeconds: 1800 }],
    ['that wish as text', { refresh_in: '1800' }, { refreshInSeconds: 1800 }],
    ['no type', { token_type: undefined }, { expiresInSeconds: 3599 }],
    ['its type in capitals', { token_type: 'BEARER' }, { expiresInSeconds: 3599 }],
  ])('may have %s', (_case, changes, expected) => {
    expect(read(answer(200, { ...granted, ...changes }))).toMatchObject(expected);
  });

  test.each([0, -1, 'soon', '', null])(
    'with %j for a wish to be asked again has none',
    (refreshIn) => {
      const token = read(answer(200, { ...granted, refresh_in: refreshIn }));
      expect(token).not.toHaveProperty('refreshInSeconds');
    },
  );
});

describe('an answer that is not fit for use', () => {
  test.each<[string, unknown]>([
    ['a page in HTML', '<!DOCTYPE html><html>Please sign in.</html>'],
    ['nothing', ''],
    ['half of it', JSON.stringify(granted).slice(0, -20)],
    ['a list', [granted]],
    ['null', 'null'],
    ['no token', { ...granted, access_token: undefined }],
    ['an empty token', { ...granted, access_token: '' }],
    ['a token that is an object', { ...granted, access_token: {} }],
    ['a token with a line break', { ...granted, access_token: 'header.pay\nload.signature' }],
    ['a token with a line break at its end', { ...granted, access_token: 'a.b.c\n' }],
    ['a token with a blank', { ...granted, access_token: 'header payload' }],
    ['a token with a NUL', { ...granted, access_token: 'header\0' }],
    ['a token beyond ASCII', { ...granted, access_token: 'höder' }],
    ['no life', { ...granted, expires_in: undefined }],
    ['a life of zero', { ...granted, expires_in: 0 }],
    ['a negative life', { ...granted, expires_in: -3599 }],
    ['a life of more than a year', { ...granted, expires_in: 1e12 }],
    ['a life in words', { ...granted, expires_in: 'an hour' }],
    ['an empty life', { ...granted, expires_in: ' ' }],
    ['a life without end', JSON.stringify(granted).replace('3599', '1e999')],
    ['a life that is a list', { ...granted, expires_in: [3599] }],
    ['another type', { ...granted, token_type: 'pop' }],
    ['a type that is no text', { ...granted, token_type: 7 }],
  ])('is refused: %s', (_case, body) => {
    const error = failure(answer(200, body, { 'x-ms-request-id': traceId }));
    expect(error).toMatchObject({
      code: 'entra.bad-answer',
      details: { status: 200, correlationId: sentId, traceId },
    });
    expect(error.message).not.toMatch(/header|payload|sign in/i);
  });
});

const description = (text: string) =>
  `${text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: 2026-11-24 12:00:00Z`;

const refusal = {
  error: 'invalid_client',
  error_description: description('AADSTS700213: No matching federated identity record found.'),
  error_codes: [700213],
  trace_id: traceId,
  correlation_id: correlationId,
};

describe('an answer other than 200', () => {
  test.each<[string, number, unknown, ErrorCode]>([
    ['a refusal', 401, refusal, 'entra.refused'],
    ['a malformed request', 400, { error: 'invalid_request' }, 'entra.refused'],
    ['Conditional Access', 400, { ...refusal, error: 'invalid_grant' }, 'entra.refused'],
    ['a throttle in plain text', 429, 'Too Many Requests', 'entra.throttled'],
    ['a throttle in JSON', 429, refusal, 'entra.throttled'],
    ['a timeout at the gateway', 408, '', 'entra.unavailable'],
    ['a crash', 500, '<html></html>', 'entra.unavailable'],
    ['an outage', 503, refusal, 'entra.unavailable'],
    ['an outage in its own words', 400, { error: 'temporarily_unavailable' }, 'entra.unavailable'],
    ['a firewall', 403, '<html>Blocked.</html>', 'entra.bad-answer'],
    ['a wrong path', 404, '', 'entra.bad-answer'],
    ['JSON of somebody else', 401, { message: 'Unauthorized' }, 'entra.bad-answer'],
    ['a proxy that wants a password', 407, '', 'entra.bad-answer'],
    ['a redirect', 302, '', 'entra.bad-answer'],
    ['a redirect with an error', 302, refusal, 'entra.bad-answer'],
    ['no content', 204, '', 'entra.bad-answer'],
    ['another success', 201, granted, 'entra.bad-answer'],
  ])('such as %s (%i) is told apart', (_case, status, body, code) => {
    const error = failure(answer(status, body));
    expect(error.code).toBe(code);
    expect(error.details.status).toBe(status);
    expect(error.message).toContain(String(status));
  });

  test('says what Entra said, without the ids that have fields of their own', () => {
    const error = failure(answer(401, refusal));
    expect(error.message).toContain('AADSTS700213: No matching federated identity record found.');
    expect(error.message).not.toMatch(/Trace ID|Timestamp/);
    expect(error.remedy).toContain(context.identity.subject);
    expect(error.details).toEqual({ status: 401, aadsts: 'AADSTS700213', traceId, correlationId });
  });

  test('says the same in the form of former years, with line ends between', () => {
    const former = refusal.error_description.replace(' Trace ID', '\r\nTrace ID');
    const error = failure(answer(401, { ...refusal, error_description: former }));
    expect(error.message).toMatch(/record found\.$/);
  });

  test('is one line of bounded length, whatever Entra said', () => {
    const unit = fc.constantFrom('words', ' ', 'ä', '\r', '\n', 'Trace ID:');
    const text = fc.oneof(fc.string({ unit }), fc.string({ unit: 'grapheme', minLength: 500 }));
    fc.assert(
      fc.property(text, (said) => {
        const { message } = failure(answer(401, { ...refusal, error_description: said }));
        expect(message).not.toMatch(/[\r\n]/);
        expect(message.length).toBeLessThan(500);
      }),
    );
  });

  test.each<[string, object, object]>([
    ['an id that is none', { correlation_id: '<script>' }, { correlationId: sentId }],
    ['an id that is a number', { trace_id: 7 }, { correlationId }],
    ['no ids', { trace_id: undefined, correlation_id: undefined }, { correlationId: sentId }],
    ['no words', { error_description: undefined }, { traceId }],
    ['words that are a number', { error_description: 7 }, { traceId }],
  ])('may have %s', (_case, changes, expected) => {
    const error = failure(answer(401, { ...refusal, ...changes }));
    expect(error).toMatchObject({ code: 'entra.refused', details: expected });
  });

  test.each<[string, number, RawAnswer['headers'], number | undefined]>([
    ['a throttle', 429, { 'retry-after': '120' }, 120_000],
    ['an outage', 503, { 'retry-after': 'Tue, 24 Nov 2026 12:00:30 GMT' }, 30_000],
    ['a throttle without a hint', 429, {}, undefined],
    ['a throttle with a hint twice', 429, { 'retry-after': ['1', '2'] }, undefined],
  ])('tells how long to stay away: %s', (_case, status, headers, expectedMs) => {
    expect(failure(answer(status, '', headers)).details.retryAfterMs).toBe(expectedMs);
  });

  test('promises that a failure of Entra mends itself', () => {
    expect(failure(answer(503, '')).remedy).toContain('tried again');
  });
});
