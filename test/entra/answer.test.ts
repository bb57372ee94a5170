import { describe, expect, test } from 'vitest';
import { refreshDelayMs } from '../../src/refresh/schedule.ts';
import type { Nature } from '../../src/support/errors.ts';
import { answer, context, failure, granted, read, sentId, traceId } from './answer-parts.ts';

test.each([
  [65_530, true],
  [65_531, false],
])('a token of %i characters is as long as PostgreSQL reads: %s', (length, readable) => {
  const raw = answer(200, { ...granted, access_token: 'x'.repeat(length) });
  if (readable) expect(read(raw).token.unwrap()).toHaveLength(length);
  else expect(failure(raw).message).toContain('longer than PostgreSQL reads');
});

describe('a good answer', () => {
  test('gives the token and its life', () => {
    const { token, ...rest } = read(answer(200, granted));
    expect(token.unwrap()).toBe('header.payload.signature');
    expect(rest).toEqual({ life: { since: context.askedAt, delayMs: 3_599_000 } });
  });

  test.each<[string, object, object]>([
    ['the number as text', { expires_in: '86399' }, { life: { delayMs: 86_399_000 } }],
    ['a wish to be asked again', { refresh_in: 1800 }, { refreshInMs: 1_800_000 }],
    ['that wish as text', { refresh_in: '1800' }, { refreshInMs: 1_800_000 }],
    ['no type', { token_type: undefined }, { life: { delayMs: 3_599_000 } }],
    ['a part of a second in the text', { expires_in: '59.5' }, { life: { delayMs: 59_500 } }],
    ['its type in capitals', { token_type: 'BEARER' }, { life: { delayMs: 3_599_000 } }],
  ])('may have %s', (_case, changes, expected) => {
    expect(read(answer(200, { ...granted, ...changes }))).toMatchObject(expected);
  });

  test.each([0, -1, 'soon', '', null, true, [1800], {}, '-1', '0x10', '1e400', 'NaN'])(
    'with %j for a wish to be asked again has none',
    (refreshIn) => {
      const token = read(answer(200, { ...granted, refresh_in: refreshIn }));
      expect(token).not.toHaveProperty('refreshInMs');
    },
  );

  test('is refreshed in time, though it wishes to be asked again after its end', () => {
    const { life, refreshInMs } = read(answer(200, { ...granted, refresh_in: 1e300 }));
    const delayMs = refreshDelayMs({
      lifeMs: life.delayMs,
      refreshInMs,
      fraction: 0.5,
      random: 0,
      sameToken: false,
    });
    expect(delayMs).toBe((3599 * 1000) / 2);
  });
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
    ['a life in an exponent', { ...granted, expires_in: '1e400' }],
    ['a negative life in words', { ...granted, expires_in: '-1' }],
    ['a life in hexadecimal', { ...granted, expires_in: '0x10' }],
    ['a life of digits without end', { ...granted, expires_in: '9'.repeat(400) }],
    ['a life that is no number', { ...granted, expires_in: 'NaN' }],
    ['a life that is true', { ...granted, expires_in: true }],
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

  test.each<[string, unknown, Nature]>([
    ['a page in HTML', '<!DOCTYPE html>', 'operator'],
    ['JSON of another server', { status: 'ok' }, 'operator'],
    ['a list', [granted], 'operator'],
    ['half of it', JSON.stringify(granted).slice(0, -20), 'transient'],
    ['nothing', '', 'transient'],
  ])('needs a person unless it was only cut short: %s', (_case, body, nature) => {
    expect(failure(answer(200, body)).details.nature).toBe(nature);
  });
});
