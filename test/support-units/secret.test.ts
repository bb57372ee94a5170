import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KnownSecrets, Secret } from '../../src/support/secret.ts';
import { unsignedJwt } from './unsigned-jwt.ts';

const text = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJteS1hcHAifQ.c2lnbmF0dXJl';
const secret = new Secret(text);

describe('a secret', () => {
  test.each<[string, unknown]>([
    ['converted to a string', String(secret)],
    ['in a template', `${secret}`],
    ['concatenated', `token ${secret}`.slice('token '.length)],
    ['joined', [secret].join()],
    ['inspected', inspect(secret)],
  ])('prints as redacted when %s', (_case, printed) => {
    expect(printed).toBe('[redacted]');
  });

  test.each<[string, (value: unknown) => string]>([
    ['as JSON', (value) => JSON.stringify(value)],
    ['inspected to the bottom', (value) => inspect(value, { depth: null, showHidden: true })],
    [
      'inspected in an error',
      (value) => inspect(new Error('failed', { cause: value }), { depth: null }),
    ],
  ])('shows nothing of itself deep inside of something %s', (_case, print) => {
    const printed = print({ request: { form: [{ client_assertion: secret }] } });
    expect(printed).toContain('[redacted]');
    expect(printed).not.toContain(text.slice(0, 8));
  });

  test('reveals nothing when its properties are listed', () => {
    expect(Reflect.ownKeys(secret)).toEqual([]);
    expect({ ...secret }).toEqual({});
    expect(JSON.stringify(structuredClone(secret))).toBe('{}');
  });

  test('returns the claims of the token', () => {
    expect(secret.jwtClaims()).toEqual({ sub: 'my-app' });
    expect(new Secret('opaque').jwtClaims()).toBeUndefined();
  });

  test('returns its text when unwrapped', () => {
    expect(secret.unwrap()).toBe(text);
  });

  test('equals another with the same text only', () => {
    expect(secret.equals(new Secret(text))).toBe(true);
    expect(secret.equals(new Secret(`${text}x`))).toBe(false);
  });
});

/** The alphabet of tokens; few letters, so that pieces overlap often. */
const tokenText = fc.string({
  unit: fc.constantFrom('a', 'b', '-', '.', '7'),
  minLength: 16,
  maxLength: 60,
});
const words = fc.string({
  unit: fc.constantFrom('a', 'b', '-', '.', '7', ' ', 'ä', '[', '%'),
  maxLength: 40,
});

/** Text that quotes pieces of the token. */
const quotation = tokenText.chain((token) => {
  const piece = fc
    .tuple(fc.nat(token.length), fc.nat(token.length))
    .map(([one, other]) => token.slice(Math.min(one, other), Math.max(one, other)));
  return fc.record({
    token: fc.constant(token),
    quoting: fc.array(fc.oneof(words, piece), { maxLength: 6 }).map((parts) => parts.join('')),
  });
});

function piecesOf(token: string): string[] {
  return Array.from({ length: token.length - 15 }, (_, at) => token.slice(at, at + 16));
}

describe('redaction', () => {
  test.each([
    ['the whole', `invalid assertion ${text}.`, 'invalid assertion [redacted].'],
    ['nothing but the whole', text, '[redacted]'],
    ['its beginning', `got ${text.slice(0, 20)}…`, 'got [redacted]…'],
    ['a piece of sixteen characters', `got ${text.slice(5, 21)}`, 'got [redacted]'],
    ['two pieces', `${text.slice(0, 16)} and ${text.slice(30)}`, '[redacted] and [redacted]'],
    ['less than a piece', `got ${text.slice(5, 20)}`, `got ${text.slice(5, 20)}`],
    ['something else', 'AADSTS50027: JWT is malformed.', 'AADSTS50027: JWT is malformed.'],
    ['no text', '', ''],
  ])('of a text that quotes %s', (_case, quoting, expected) => {
    expect(secret.redactFrom(quoting)).toBe(expected);
  });

  test('leaves no piece of sixteen characters', () => {
    fc.assert(
      fc.property(quotation, ({ token, quoting }) => {
        const clean = new Secret(token).redactFrom(quoting);
        expect(piecesOf(token).filter((piece) => clean.includes(piece))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('leaves a text alone that shares no such piece', () => {
    fc.assert(
      fc.property(tokenText, words, (token, other) => {
        fc.pre(!piecesOf(token).some((piece) => other.includes(piece)));
        expect(new Secret(token).redactFrom(other)).toBe(other);
      }),
    );
  });

  test('leaves what stands around a quotation', () => {
    const around = fc.string({ unit: fc.constantFrom('ä', ' ', ':', '%'), maxLength: 20 });
    fc.assert(
      fc.property(tokenText, around, around, (token, before, after) => {
        expect(new Secret(token).redactFrom(before + token + after)).toBe(
          `${before}[redacted]${after}`,
        );
      }),
    );
  });

  test('covers a secret shorter than a piece as a whole', () => {
    const short = new Secret('hunter2');
    expect(short.redactFrom('the password is hunter2!')).toBe('the password is [redacted]!');
    expect(short.redactFrom('the password is hunter')).toBe('the password is hunter');
  });

  test('by an empty secret changes nothing', () => {
    expect(new Secret('').redactFrom('words')).toBe('words');
  });
});

const tokenOf = (index: number) => `t${index}-`.repeat(8);

test('a text is cleared of all of them, and of any other JWT', () => {
  const secrets = new KnownSecrets();
  secrets.add(new Secret(tokenOf(1)), new Secret(tokenOf(2)));
  const text = `${tokenOf(1)}, ${tokenOf(2)} and ${unsignedJwt({ sub: 'else' })}`;
  expect(secrets.redactFrom(text)).toBe('[redacted], [redacted] and [redacted]');
});

test('the latest are kept, however many there were, and one that is met again counts as late', () => {
  const secrets = new KnownSecrets();
  for (let index = 0; index < 1000; index += 1) {
    secrets.add(new Secret(tokenOf(index)), new Secret(tokenOf(7)));
  }
  expect(secrets.all.length).toBeLessThan(100);
  expect(secrets.redactFrom(tokenOf(999))).toBe('[redacted]');
  expect(secrets.redactFrom(tokenOf(7))).toBe('[redacted]');
});

test('what was in place stays known, however many tokens come, and however often it stood there', () => {
  const secrets = new KnownSecrets();
  const password = 'a-password-of-another-line';
  const lines = Array.from({ length: 40 }, () => new Secret(tokenOf(1)));
  secrets.addInPlace([new Secret(password), ...lines]);
  for (let index = 2; index < 1000; index += 1) secrets.add(new Secret(tokenOf(index)));
  expect(secrets.redactFrom(`${password} ${tokenOf(1)}`)).toBe('[redacted] [redacted]');
});

test('a short password is not looked for: it stands in many a text by chance', () => {
  const secrets = new KnownSecrets();
  secrets.add(new Secret('the'), new Secret(''));
  expect(secrets.redactFrom('the other')).toBe('the other');
});
