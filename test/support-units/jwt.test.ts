import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeJwtClaims, numericDateMs, stringClaim } from '../../src/support/jwt.ts';
import { anyCharacter } from '../support/any-character.ts';
import { unsignedJwt } from './unsigned-jwt.ts';

const base64url = (text: string) => Buffer.from(text).toString('base64url');

describe('the claims of a JWT', () => {
  test('are read without regard to its signature', () => {
    const claims = { iss: 'https://issuer.example/', sub: 'grün', aud: ['one', 'two'], exp: 1 };
    expect(decodeJwtClaims(unsignedJwt(claims))).toEqual(claims);
  });

  test('are read whatever they say', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue()), (claims) => {
        // Through JSON first, which knows no negative zero.
        const said: unknown = JSON.parse(JSON.stringify(claims));
        expect(decodeJwtClaims(unsignedJwt(claims))).toEqual(said);
      }),
    );
  });

  const header = base64url('{"alg":"RS256"}');

  test.each([
    ['nothing', ''],
    ['a password', 'hunter2'],
    ['two parts', `${header}.${base64url('{}')}`],
    ['an unsigned one with an empty signature', `${header}.${base64url('{}')}.`],
    ['four parts', `${header}.${base64url('{}')}.sig.more`],
    ['a payload that is no JSON', `${header}.${base64url('{')}.sig`],
    ['a payload that is a list', `${header}.${base64url('[]')}.sig`],
    ['a payload that is null', `${header}.${base64url('null')}.sig`],
    ['a payload that is text', `${header}.${base64url('"exp"')}.sig`],
    ['a line break at its end', `${unsignedJwt({})}\n`],
    ['a blank in front', ` ${unsignedJwt({})}`],
    ['padding', `${header}.${base64url('{}')}==.sig`],
    ['two tokens', `${unsignedJwt({})} ${unsignedJwt({})}`],
  ])('are not found in %s', (_case, text) => {
    expect(decodeJwtClaims(text)).toBeUndefined();
  });

  test('are not found in arbitrary text, and that is no failure', () => {
    fc.assert(
      fc.property(fc.array(fc.base64String(), { maxLength: 4 }), (parts) => {
        const claims = decodeJwtClaims(parts.join('.'));
        expect(claims === undefined || typeof claims === 'object').toBe(true);
      }),
    );
  });
});

describe('a claim', () => {
  test.each<[string, unknown, number | undefined]>([
    ['seconds', 1_764_000_000, 1_764_000_000_000],
    ['a fraction of seconds', 0.5, 500],
    ['the epoch', 0, 0],
    ['a text', '1764000000', undefined],
    ['null', null, undefined],
    ['nothing', undefined, undefined],
  ])('that states a time as %s is read in milliseconds', (_case, exp, expectedMs) => {
    expect(numericDateMs({ exp }, 'exp')).toBe(expectedMs);
  });

  test('beyond what a number can say is no time', () => {
    const claims = decodeJwtClaims(`e30.${base64url('{"exp":1e999}')}.sig`);
    expect(numericDateMs(claims ?? {}, 'exp')).toBeUndefined();
  });

  test.each<[unknown, string | undefined]>([
    ['text', 'text'],
    [7, undefined],
    [['text'], undefined],
    [undefined, undefined],
  ])('%j is as text %s', (sub, expected) => {
    expect(stringClaim({ sub }, 'sub')).toBe(expected);
  });
});
