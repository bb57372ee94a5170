import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, isPort, meansEveryAddress } from '../../src/support/network.ts';
import { Secret } from '../../src/support/secret.ts';
import { programName, sanitize, sanitizeValue } from '../../src/support/text.ts';
import { anyCharacter } from '../support/any-character.ts';
import { findLeaks } from '../support/leak-check.ts';
import { unsignedJwt } from './unsigned-jwt.ts';

const jwt = unsignedJwt({ sub: 'somebody' });
const opaque = 'x7Gq2Lw9Zt4Rk1Vb8Nc3Yd6';

describe('what is shown of a text', () => {
  test.each([
    ['a sentence', 'the passfile /run/x does not exist', 'the passfile /run/x does not exist'],
    ['an escape sequence', 'a\u001b[2Jb', 'a\ufffd[2Jb'],
    ['the end of a line', 'a\r\nb', 'a\ufffd\ufffdb'],
    ['a mark that turns the writing', 'a\u202eb\u2066c', 'a\ufffdb\ufffdc'],
    ['a control character of C1', 'a\u009b31mb', 'a\ufffd31mb'],
    ['other ends of lines', 'a\u2028b\u2029c', 'a\ufffdb\ufffdc'],
    ['half a character', 'a\ud83db', 'a\ufffdb'],
    ['a JWT', `got ${jwt}.`, 'got [redacted]'],
    ['the beginning of one', 'got eyJhbGci', 'got [redacted]'],
    ['a JWT within a word', `token_${jwt}`, 'token_[redacted]'],
    ['no JWT', 'eyJ is not heyJude', 'eyJ is not heyJude'],
    ['a secret', `got ${opaque}!`, 'got [redacted]!'],
    [
      'a secret with something unprintable in it',
      `${opaque.slice(0, 9)}\u200b${opaque.slice(9)}`,
      '[redacted]',
    ],
    ['a JWT with a line break in it', `${jwt.slice(0, 30)}\n${jwt.slice(30)}`, '[redacted]'],
  ])('%s', (_case, text, shown) => {
    expect(sanitize(text, [new Secret(opaque)])).toBe(shown);
  });

  test('is of bounded length, whatever it is', () => {
    expect(sanitize('x'.repeat(1_000_000))).toBe(`${'x'.repeat(4_000)}…`);
    expect(sanitizeValue('x'.repeat(301))).toBe(`${'x'.repeat(300)}…`);
    expect(sanitizeValue('x'.repeat(300))).toBe('x'.repeat(300));
  });

  test('holds no secret and nothing unprintable, wherever they stand', () => {
    const piece = fc.oneof(
      fc.constantFrom(jwt, opaque, opaque.slice(2, 20), '\u001b[', '\u202e', '\n', '\u0085', 'x'),
      fc.string({ unit: anyCharacter, maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.integer({ min: 0, max: 200 }), (pieces, longest) => {
        const shown = sanitize(pieces.join(''), [new Secret(opaque)], longest);
        expect(findLeaks(shown, [jwt, opaque])).toEqual([]);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      }),
      { numRuns: 1_000 },
    );
  });
});

test.each([
  ['psql', 'psql'],
  ['/usr/bin/psql', '/usr/bin/psql'],
  ['psql postgresql://me:hunter2@host/db', 'psql…'],
  ['postgresql://me:hunter2@host/db', 'postgresql…'],
  ['PGPASSWORD=hunter2', 'PGPASSWORD…'],
])('of a program called %s, %s is shown', (name, shown) => {
  expect(programName(name)).toBe(shown);
});

test.each([
  ['server.example', 'server.example:6432'],
  ['10.0.0.4', '10.0.0.4:6432'],
  ['::1', '[::1]:6432'],
])('%s is written %s', (host, expected) => {
  expect(formatAddress({ host, port: 6432 })).toBe(expected);
});

test.each(['1', '5432', '65535', '00080'])('%s is a port', (text) => {
  expect(isPort(text)).toBe(true);
});

test.each(['', '0', '65536', '-1', '1e3', ' 5432', '5432a'])('"%s" is none', (text) => {
  expect(isPort(text)).toBe(false);
});

test.each([
  ['', true],
  ['0.0.0.0', true],
  ['::', true],
  ['127.0.0.1', false],
  ['::1', false],
])('"%s" means every address: %s', (host, every) => {
  expect(meansEveryAddress(host)).toBe(every);
});
