import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adoptToken as adoptFrom } from '../../src/passfile/adopt.ts';
import { ANY, type Entry, formatPassfile } from '../../src/passfile/format.ts';
import { entriesLayout } from '../../src/passfile/layout.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { entry } from './arbitrary-fields.ts';

const issuedAtMs = Date.parse('2026-11-24T12:00:00Z');
const expiresAtMs = issuedAtMs + 3_600_000;
const claims = { iat: issuedAtMs / 1000, exp: expiresAtMs / 1000 };
const token = unsignedJwt(claims);

const writer: Entry = { host: 'writer', port: '5432', database: ANY, user: 'my-app' };
const reader: Entry = { ...writer, host: 'reader' };
const anybodys = () => true;
const adoptToken = (
  content: string,
  writtenAtMs: number,
  entries: readonly Entry[],
  isOurs: Parameters<typeof adoptFrom>[3],
) => adoptFrom(Buffer.from(content), writtenAtMs, entriesLayout(entries), isOurs);

const ours = formatPassfile([writer, reader], token);

describe('a passfile of an earlier run', () => {
  test('gives its token and its life', () => {
    const adopted = adoptToken(ours, issuedAtMs, [writer, reader], anybodys);
    expect(adopted).toMatchObject({ issuedAtMs, expiresAtMs });
    expect(adopted?.token.unwrap()).toBe(token);
  });

  test('gives its token whatever the entries are', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), (entries) => {
        const adopted = adoptToken(formatPassfile(entries, token), issuedAtMs, entries, anybodys);
        expect(adopted?.token.unwrap()).toBe(token);
      }),
    );
  });

  test('counts from when it was written, when Entra dated the token back', () => {
    const writtenAtMs = issuedAtMs + 300_000;
    expect(adoptToken(ours, writtenAtMs, [writer, reader], anybodys)?.issuedAtMs).toBe(writtenAtMs);
  });

  test('counts from the issue of the token, when its time stamp lies before that', () => {
    expect(adoptToken(ours, 0, [writer, reader], anybodys)?.issuedAtMs).toBe(issuedAtMs);
  });
});

describe('a passfile is left alone', () => {
  const other = unsignedJwt({ ...claims, uti: 'another' });

  test.each<[string, string]>([
    ['it is empty', ''],
    ['it holds a line of somebody else', `${ours}localhost:5432:*:postgres:hunter2\n`],
    ['it begins with a comment', `# ours\n${ours}`],
    ['its entries are fewer', formatPassfile([writer], token)],
    ['its entries are others', formatPassfile([writer, { ...reader, user: 'root' }], token)],
    ['its entries are in another order', formatPassfile([reader, writer], token)],
    ['its last line has no end', ours.slice(0, -1)],
    ['its lines end as on Windows', ours.replaceAll('\n', '\r\n')],
    [
      'its lines hold two tokens',
      formatPassfile([writer], token) + formatPassfile([reader], other),
    ],
    ['its line goes on after the password', ours.replace(token, `${token}:x`)],
  ])('when %s', (_case, content) => {
    expect(adoptToken(content, issuedAtMs, [writer, reader], anybodys)).toBeUndefined();
  });

  test.each<[string, string]>([
    ['is no JWT', 'a-password'],
    ['is empty', ''],
    ['does not tell its expiry', unsignedJwt({ iat: claims.iat })],
    ['does not tell its issue', unsignedJwt({ exp: claims.exp })],
    ['tells its expiry in words', unsignedJwt({ ...claims, exp: 'tomorrow' })],
    ['has claims that are a list', unsignedJwt([claims])],
  ])('when its password %s', (_case, password) => {
    const content = formatPassfile([writer], password);
    expect(adoptToken(content, issuedAtMs, [writer], anybodys)).toBeUndefined();
  });

  test('when there are no entries at all', () => {
    expect(adoptToken('', issuedAtMs, [], anybodys)).toBeUndefined();
  });
});

test('a passfile is left alone when its token was issued for somebody else', () => {
  const isOurs = (claims: Readonly<Record<string, unknown>>) =>
    claims['exp'] !== expiresAtMs / 1000;
  expect(adoptToken(ours, issuedAtMs, [writer, reader], isOurs)).toBeUndefined();
});
