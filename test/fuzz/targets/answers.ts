import fc from 'fast-check';
import { interpretAnswer, parseRetryAfterMs, type RawAnswer } from '../../../src/entra/answer.ts';
import { context, granted } from '../../entra/answer-parts.ts';
import { anyCharacter } from '../../support/any-character.ts';
import { insist, isPresentable, outcome } from '../outcome.ts';
import { fuzz, type Texts } from '../target.ts';

const refusal = {
  error: 'invalid_client',
  error_description:
    'AADSTS700213: No matching record found. Trace ID: c3d4e5f6-0718-4a2b-9c3d-4e5f60718293',
  error_codes: [700213],
  trace_id: 'c3d4e5f6-0718-4a2b-9c3d-4e5f60718293',
};

const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('1e400', '-1', '0x10', '', true, 1e308, -0, '9'.repeat(400), '__proto__'),
  fc.string({ unit: anyCharacter, maxLength: 30 }),
);

/** A good body, or a refusal, in which some fields are something else. */
const spoiltBody = fc
  .tuple(
    fc.constantFrom(granted, refusal),
    fc.dictionary(
      fc.constantFrom(...Object.keys(granted), ...Object.keys(refusal), 'refresh_in'),
      oddValue,
      { maxKeys: 3 },
    ),
  )
  .map(([body, odd]) => JSON.stringify({ ...body, ...odd }));

const bodies = (texts: Texts) =>
  fc.oneof(
    spoiltBody,
    fc.json({ maxDepth: 3 }),
    texts(
      [JSON.stringify(granted), JSON.stringify(refusal)],
      ['{', '}', '[', ':', ',', 'null', ' ', '{"a":', '0'],
    ),
    texts([refusal.error_description], [' ', 'AADSTS', '0', '. ', 'Trace ID:']).map((description) =>
      JSON.stringify({ ...refusal, error_description: description }),
    ),
  );

const answerWith = (body: fc.Arbitrary<string>): fc.Arbitrary<RawAnswer> =>
  fc.record({
    status: fc.oneof(
      fc.constant(200),
      fc.constantFrom(400, 401, 403, 408, 429, 500, 503),
      fc.nat(999),
    ),
    headers: fc.dictionary(
      fc.constantFrom('retry-after', 'x-ms-request-id', 'content-type'),
      fc.oneof(
        fc.string({ maxLength: 12 }),
        fc.array(fc.string({ maxLength: 4 }), { maxLength: 2 }),
      ),
      { maxKeys: 2 },
    ),
    body,
  });

export const answers = [
  fuzz(
    "Entra's answer",
    (texts) => answerWith(bodies(texts)),
    (raw) => {
      const issued = outcome(
        () => interpretAnswer(raw, context),
        (error) => isPresentable(error, /^entra\./),
      );
      if (issued === undefined) return;
      insist(issued.token.isPrintable(), 'the token would not fit one field of one line');
      insist(issued.life.delayMs > 0, 'the token has no life');
      insist(issued.life.delayMs <= 366 * 86_400_000, 'a life of more than a year is not accepted');
      insist((issued.refreshInMs ?? 1) > 0, 'a refresh before the token is there');
    },
  ),

  fuzz(
    'Retry-After',
    (texts) =>
      texts(['60', 'Tue, 24 Nov 2026 12:01:00 GMT'], ['0', '9', '-', '.', 'e', ' ', 'Mon', 'GMT']),
    (header) => {
      const delayMs = parseRetryAfterMs(header, context.nowMs);
      if (delayMs === undefined) return;
      insist(delayMs >= 1_000 && delayMs <= 3_600_000, `${delayMs} ms are out of bounds`);
    },
  ),
];
