import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/support/secret.ts';
import { sanitizeStderr } from '../../src/token-command/failure.ts';
import { anyCharacter } from '../support/any-character.ts';
import { findLeaks } from '../support/leak-check.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { opaqueToken } from './tokens.ts';

const lines = (stderr: string) => sanitizeStderr(stderr, [new Secret(opaqueToken)]);

describe('the lines of stderr', () => {
  test.each<[string, string, string[]]>([
    [
      'are shown without blank ones',
      '\n\nno such role\r\n\n  try again \n',
      ['no such role', 'try again'],
    ],
    ['lose their colours', '\u001b[1;31mERROR\u001b[0m: no', ['ERROR: no']],
    ['lose what hides text', 'a\u202eb\u0007c\u2028d', ['abcd']],
    ['lose a token', `got ${opaqueToken}!`, ['got [redacted]!']],
    ['lose a piece of a token', `got ${opaqueToken.slice(4, 20)}!`, ['got [redacted]!']],
    ['lose any JWT', `Bearer ${unsignedJwt({ sub: 'else' })};`, ['Bearer [redacted];']],
    ['lose a token with a bell in it', [...opaqueToken].join('\u0007'), ['[redacted]']],
    [
      'lose a token with bytes in it that are no UTF-8',
      [...opaqueToken].join('\ufffd'),
      ['[redacted]'],
    ],
    ['lose a token with half characters in it', [...opaqueToken].join('\ud83d'), ['[redacted]']],
    ['are cut', 'x'.repeat(201), [`${'x'.repeat(200)}…`]],
  ])('%s', (_case, stderr, expected) => {
    expect(lines(stderr)).toEqual(expected);
  });

  test('hold no piece of the token, wherever it stands', () => {
    const text = fc.string({ unit: anyCharacter });
    const piece = fc
      .tuple(fc.nat(opaqueToken.length), fc.nat(opaqueToken.length))
      .map(([from, to]) => opaqueToken.slice(from, to));
    fc.assert(
      fc.property(fc.array(fc.oneof(text, piece)), (parts) => {
        expect(lines(parts.join('')).flatMap((line) => findLeaks(line, [opaqueToken]))).toEqual([]);
      }),
    );
  });
});
