import { describe, expect, test } from 'vitest';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { answer, context, failure, granted, read, sentId } from './answer-parts.ts';

const { nowMs } = context;
const nowSeconds = nowMs / 1000;
const at = (offsetSeconds: number) => new Date(nowMs + offsetSeconds * 1000).toUTCString();
const jwt = (lifeSeconds: number, claims: object = {}) =>
  unsignedJwt({ exp: nowSeconds + lifeSeconds, ...claims });

interface Given {
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

const lifeOf = ({ body = {}, headers = {} }: Given) =>
  read(answer(200, { ...granted, ...body }, headers)).life.delayMs / 1000;
const refusalOf = ({ body = {}, headers = {} }: Given) =>
  failure(answer(200, { ...granted, ...body }, headers));

describe('the life of a token is the least of what is said of it', () => {
  test.each<[string, Given, number]>([
    ['its own exp', { body: { access_token: jwt(20) } }, 20],
    ['expires_on', { body: { expires_on: nowSeconds + 20 } }, 20],
    ['expires_on as text', { body: { expires_on: String(nowSeconds + 20) } }, 20],
    ['expires_in', { body: { access_token: jwt(86_400), expires_on: nowSeconds + 7200 } }, 3599],
    [
      'expires_on before its exp',
      { body: { access_token: jwt(1800), expires_on: nowSeconds + 60 } },
      60,
    ],
  ])('%s', (_case, given, expectedSeconds) => {
    expect(lifeOf(given)).toBe(expectedSeconds);
  });
});

describe('the clock that counts', () => {
  test.each<[string, Given, number]>([
    [
      "is the issuer's where the answer has a Date, though ours is a day behind",
      { body: { access_token: jwt(86_400 + 1800) }, headers: { date: at(86_400) } },
      1800,
    ],
    [
      "is the issuer's, though ours is a day ahead",
      {
        body: { access_token: jwt(-86_400 + 1800) },
        headers: { date: at(-86_400), 'client-request-id': sentId },
      },
      1800,
    ],
    [
      "is the issuer's to the second",
      { body: { access_token: jwt(3500) }, headers: { date: at(0) } },
      3500,
    ],
    [
      'goes on in a cache, which tells the age of its answer',
      { headers: { date: at(-3000), age: '3000' } },
      599,
    ],
    [
      'goes on in a cache that has no Date',
      { headers: { age: '3000' }, body: { access_token: jwt(599) } },
      599,
    ],
    [
      'goes on for a JWT in a cache',
      { body: { access_token: jwt(500) }, headers: { date: at(-3000), age: '3000' } },
      500,
    ],
    [
      'is ours when the answer repeats the id of another request, and so its Date is as old',
      {
        body: { access_token: jwt(20) },
        headers: { date: at(-3580), 'client-request-id': '00000000-1111-4222-8333-444444444444' },
      },
      19,
    ],
    [
      'is ours when an old answer does not say whose it is, and its Date counts as its age',
      { body: { access_token: jwt(10) }, headers: { date: at(-3590) } },
      9,
    ],
    [
      "is the issuer's when the answer repeats the id of this request",
      {
        body: { access_token: jwt(3600) },
        headers: { date: at(3000), 'client-request-id': sentId },
      },
      600,
    ],
    [
      'is ours when the Date is none',
      { body: { access_token: jwt(20) }, headers: { date: '7' } },
      20,
    ],
  ])('%s', (_case, given, expectedSeconds) => {
    expect(lifeOf(given)).toBe(expectedSeconds);
  });

  test('without a Date may be five minutes off', () => {
    expect(lifeOf({ body: { access_token: jwt(3299) } })).toBe(3599);
    expect(lifeOf({ body: { access_token: jwt(3298) } })).toBe(3298);
  });

  test("tells the end of the token's life, for when our own is set right", () => {
    const { life } = read(answer(200, granted, { date: at(86_400) }));
    expect(life.endsAtMs).toBe(nowMs + (86_400 + 3599) * 1000);
  });
});

describe('a token that is of no use is no token', () => {
  test.each<[string, Given, string]>([
    ['an expired one', { body: { access_token: jwt(-900) } }, 'expired already'],
    [
      'one that expires at this moment',
      { body: { access_token: jwt(0) }, headers: { date: at(0) } },
      'expired already',
    ],
    ['one with a past expires_on', { body: { expires_on: nowSeconds - 900 } }, 'expired already'],
    ['one that has expired in a cache', { headers: { age: '3599' } }, 'expired already'],
    ['one that lives for a millisecond', { body: { expires_in: 0.001 } }, 'less than a second'],
    [
      'one that begins in an hour',
      { body: { access_token: jwt(7200, { nbf: nowSeconds + 3600 }) } },
      'not valid yet',
    ],
    [
      'one that begins in a minute by the clock of its issuer',
      { body: { access_token: jwt(3600, { nbf: nowSeconds + 60 }) }, headers: { date: at(0) } },
      'not valid yet',
    ],
  ])('%s', (_case, given, words) => {
    const error = refusalOf(given);
    expect(error).toMatchObject({ code: 'entra.bad-answer', details: { status: 200 } });
    expect(error.message).toContain(words);
    expect(error.remedy).toContain('compare the clock');
  });

  test('one that begins in four minutes by our clock alone may have begun', () => {
    expect(lifeOf({ body: { access_token: jwt(3600, { nbf: nowSeconds + 240 }) } })).toBe(3599);
  });
});
