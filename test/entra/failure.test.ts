import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RawAnswer } from '../../src/entra/answer.ts';
import { explainCode } from '../../src/entra/failure.ts';
import { type ErrorCode, type Nature, PgpassdError } from '../../src/support/errors.ts';
import { anyCharacter } from '../support/any-character.ts';
import { answer, context, failure, granted, read, sentId, traceId } from './answer-parts.ts';

const correlationId = '11112222-3333-4444-5555-666677778888';

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
    ['JSON of another server', 401, { message: 'Unauthorized' }, 'entra.bad-answer'],
    ['a proxy that wants a password', 407, '', 'entra.bad-answer'],
    ['a redirect', 302, '', 'entra.bad-answer'],
    ['a redirect with an error', 302, refusal, 'entra.bad-answer'],
    ['no content', 204, '', 'entra.bad-answer'],
    ['another success', 201, granted, 'entra.bad-answer'],
  ])('such as %s (%i) has its code', (_case, status, body, code) => {
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
    expect(error.details).toEqual({
      nature: 'propagating',
      status: 401,
      aadsts: 'AADSTS700213',
      traceId,
      correlationId,
    });
  });

  test.each<[string, string, string]>([
    ['with line ends before the ids', 'AADSTS9: No match.\r\nTrace ID: 1', 'AADSTS9: No match.'],
    ['without a full stop', 'No match Trace ID: 1', 'No match'],
    [
      'with advice',
      "AADSTS700213: No match for 'a.b'. Check it. Or not.",
      "AADSTS700213: No match for 'a.b'.",
    ],
    [
      'of an unknown code, with what it advises',
      'AADSTS5000225: This tenant has been blocked due to inactivity. To learn more about tenant lifecycle policies, see https://aka.ms/TenantLifecycle. Trace ID: 1',
      'AADSTS5000225: This tenant has been blocked due to inactivity. To learn more about tenant lifecycle policies, see https://aka.ms/TenantLifecycle.',
    ],
    ['with a link', 'No match. https://learn.example/ Trace ID: 1', 'No match.'],
    [
      'with dots that end nothing',
      'No v2.0 e.g. here, at 1. try.',
      'No v2.0 e.g. here, at 1. try.',
    ],
    ['beyond ASCII', 'Mandant „Zürich“ fehlt. Ändern.', 'Mandant „Zürich“ fehlt.'],
    ['with a line separator', 'No match\u2028for it.', 'No match'],
    ['with a change of direction', 'No match \u202egpj.exe', 'No match'],
    ['with a terminal sequence', 'No match\u001b[2J', 'No match'],
    ['with half a character', 'No match\ud800', 'No match'],
    ['without end', 'x'.repeat(401), `${'x'.repeat(400)}…`],
    ['as long as it may be', 'x'.repeat(400), 'x'.repeat(400)],
    ['cut in the middle of a character', `${'x'.repeat(399)}\u{1f600}.`, 'x'.repeat(399)],
  ])("passes on Entra's words: %s", (_case, text, said) => {
    const { message } = failure(answer(401, { ...refusal, error_description: text }));
    expect(message).toBe(`Entra refused the exchange (401): ${said}`);
  });

  test.each([' ', '\r\n', '. ', 'AADSTS', '1', 'A. '])(
    'is read at once, though it repeats %j for a megabyte',
    (unit) => {
      const text = `AADSTS${unit.repeat(2 ** 20 / unit.length)}`;
      const error = failure(answer(401, { ...refusal, error_description: text }));
      expect(error.message.length).toBeLessThan(500);
      expect(error.details.aadsts).toBe('AADSTS700213');
    },
  );

  test('is one line of bounded length, whatever Entra said', () => {
    const unit = fc.constantFrom('words', ' ', 'ä', '\r', '\n', '\u2029', '\u2066', 'Trace ID:');
    const text = fc.oneof(fc.string({ unit }), fc.string({ unit: anyCharacter, minLength: 500 }));
    fc.assert(
      fc.property(text, (said) => {
        const { message } = failure(answer(401, { ...refusal, error_description: said }));
        expect(message).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]{1,500}$/u);
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
    ['a throttle without a hint', 429, {}, 60_000],
    ['a throttle with a hint twice', 429, { 'retry-after': ['1', '2'] }, 60_000],
    ['a throttle with a hint in words', 429, { 'retry-after': 'later' }, 60_000],
    ['an outage without a hint', 503, {}, undefined],
  ])('tells how long to stay away: %s', (_case, status, headers, expectedMs) => {
    expect(failure(answer(status, '', headers)).details.retryAfterMs).toBe(expectedMs);
  });

  test('says that pgpassd retries after a failure of Entra', () => {
    expect(failure(answer(503, '')).remedy).toContain('pgpassd retries');
  });
});

describe('what resolves a failure', () => {
  test.each<[number, string, Nature, RegExp]>([
    [401, 'invalid_client', 'propagating', /the-client .* issuer https:\/\/issuer\.example\/, /],
    [400, 'unauthorized_client', 'operator', /--client-id\) the-client/],
    [400, 'invalid_tenant', 'operator', /--tenant-id\) the-tenant/],
    [400, 'invalid_scope', 'operator', /--scope the-scope/],
    [400, 'invalid_resource', 'operator', /--scope the-scope/],
    [400, 'invalid_grant', 'operator', /the-client in tenant the-tenant/],
    [403, 'access_denied', 'operator', /the-client in tenant the-tenant/],
    [400, '__proto__', 'operator', /the-client in tenant the-tenant/],
    [400, '', 'operator', /the-client in tenant the-tenant/],
    [400, 'invalid_request', 'ours', /--token-param or --token-endpoint/],
    [400, 'unsupported_grant_type', 'ours', /--token-param or --token-endpoint/],
    [400, 'temporarily_unavailable', 'transient', /by itself/],
    [408, '', 'transient', /by itself/],
    [500, 'invalid_client', 'transient', /by itself/],
    [504, '', 'transient', /by itself/],
    [429, '', 'transient', /crash loop, or for another program.* by itself/],
  ])('follows from %i and %j when the code is unknown', (status, error, nature, remedy) => {
    const error_description = 'AADSTS999999: Something new happened. Call us.';
    const known = failure(answer(status, { error, error_description, error_codes: [999_999] }));
    expect(known.details).toMatchObject({ nature, aadsts: 'AADSTS999999' });
    expect(known.message).toMatch(/: AADSTS999999: Something new happened\. Call us\.$/);
    expect(known.remedy).toMatch(remedy);
    expect(failure(answer(status, { error }))).toMatchObject({
      remedy: known.remedy,
      details: { nature },
    });
  });

  test.each<[string, number, string, number, ErrorCode, Nature]>([
    [
      'an outage reported as a refusal',
      400,
      'invalid_request',
      90_033,
      'entra.refused',
      'transient',
    ],
    ['an outage that stays', 500, 'server_error', 90_036, 'entra.unavailable', 'operator'],
    ['a known code', 400, 'invalid_request', 70_021, 'entra.refused', 'propagating'],
    ['a throttle of any code', 429, 'invalid_client', 700_213, 'entra.throttled', 'transient'],
  ])('follows from the code, but not what failed: %s', (_, status, error, aadsts, code, nature) => {
    const error_description = `AADSTS${aadsts}: As documented.`;
    const explained = failure(answer(status, { error, error_description }));
    expect(explained).toMatchObject({ code, details: { nature, aadsts: `AADSTS${aadsts}` } });
    if (status === 429) expect(explained.remedy).toContain('crash loop');
    else expect(explained.remedy).toBe(explainCode(aadsts, context.identity)?.remedy);
  });

  test.each<[string, unknown, unknown, string | undefined]>([
    ['the only one', 'Bad.', [700_213], 'AADSTS700213'],
    ['the first that is known', 'Bad.', [70_002, 50_012, 700_213], 'AADSTS50012'],
    ['none that is known', 'Bad.', [70_002], undefined],
    ['another than the description has', 'AADSTS70025: Bad.', [700_213], 'AADSTS70025'],
    ['text', 'Bad.', '700213', undefined],
    ['texts', undefined, ['700213', null, [700_213], {}], undefined],
    ['an object', [], { 0: 700_213 }, undefined],
  ])('follows from error_codes without a code in the description: %s', (_, said, codes, aadsts) => {
    const { details } = failure(
      answer(401, { error: 'invalid_client', error_description: said, error_codes: codes }),
    );
    expect(details.aadsts).toBe(aadsts);
  });

  test.each([302, 400, 403, 404, 407])('is an operator when %i is not of Entra', (status) => {
    const { code, details } = failure(answer(status, '<html></html>'));
    expect({ code, nature: details.nature }).toEqual({
      code: 'entra.bad-answer',
      nature: 'operator',
    });
  });
});

describe('a hostile answer', () => {
  const hostile = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>('__proto__', 'AADSTS700213', 1e308, -0, '9'.repeat(400), [[[]]]),
  );
  const fields = [...Object.keys(granted), ...Object.keys(refusal), 'refresh_in', '__proto__'];
  const body = fc.dictionary(fc.constantFrom(...fields), hostile, { noNullPrototype: true });
  const status = fc.constantFrom(200, 204, 302, 400, 401, 403, 408, 429, 500, 503);

  test('is a token or one of our errors, whatever its fields are', () => {
    const holds = fc.property(status, fc.oneof(body, hostile), (code, said) => {
      const raw = answer(code, JSON.stringify(said) ?? '');
      try {
        expect(read(raw).life.delayMs).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(PgpassdError);
        expect(failure(raw).details.nature).toBeDefined();
        expect(failure(raw).remedy).toMatch(/^[A-Z].*\.$/);
      }
    });
    fc.assert(holds, { numRuns: 3_000 });
  });

  test.each([
    ['lists', '['.repeat(100_000), ']'.repeat(100_000)],
    ['objects', '{"error":'.repeat(100_000), `1${'}'.repeat(100_000)}`],
  ])('may be nested as deep as it likes: %s', (_, open, close) => {
    for (const code of [200, 401]) {
      expect(failure(answer(code, open + close)).code).toBe('entra.bad-answer');
      expect(failure(answer(code, `{"error_description":${open}${close}}`)).code).toBe(
        'entra.bad-answer',
      );
    }
  });

  test('gives nothing through its prototype', () => {
    const text = `{"__proto__":${JSON.stringify(granted)},"constructor":1}`;
    expect(failure(answer(200, text)).code).toBe('entra.bad-answer');
  });
});
