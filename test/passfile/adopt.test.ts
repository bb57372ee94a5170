import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANY, type Entry, formatPassfile } from '../../src/passfile/format.ts';
import { adoptToken as adoptFrom, entriesLayout } from '../../src/passfile/layout.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { entry } from './arbitrary-fields.ts';

const issuedAtMs = Date.parse('2026-11-24T12:00:00Z');
const expiresAtMs = issuedAtMs + 3_600_000;
const claims = { iat: issuedAtMs / 1000, exp: expiresAtMs / 1000 };
const token = unsignedJwt(claims);

const writer: Entry = { host: 'writer', port: '5432', database: ANY, user: 'my-app' };
const reader: Entry = { ...writer, host: 'reader' };
const acceptAll = () => true;
const adoptToken = (
  content: string,
  writtenAtMs: number,
  entries: readonly Entry[],
  isOurs: Parameters<typeof adoptFrom>[3],
) => adoptFrom(Buffer.from(content), writtenAtMs, entriesLayout(entries), isOurs);

const ours = formatPassfile([writer, reader], token);

describe('a passfile of an earlier run', () => {
  test('gives its token and its life', () => {
    const adopted = adoptToken(ours, issuedAtMs, [writer, reader], acceptAll);
    expect(adopted).toMatchObject({ issuedAtMs, expiresAtMs });
    expect(adopted?.token.unwrap()).toBe(token);
  });

  test('gives its token whatever the entries are', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), (entries) => {
        const adopted = adoptToken(formatPassfile(entries, token), issuedAtMs, entries, acceptAll);
        expect(adopted?.token.unwrap()).toBe(token);
      }),
    );
  });

  test('its life counts from when it was written, since Entra backdates tokens', () => {
    const writtenAtMs = issuedAtMs + 300_000;
    expect(adoptToken(ours, writtenAtMs, [writer, reader], acceptAll)?.issuedAtMs).toBe(
      writtenAtMs,
    );
  });

  test('its life counts from the issue of the token if the file is older than that', () => {
    expect(adoptToken(ours, 0, [writer, reader], acceptAll)?.issuedAtMs).toBe(issuedAtMs);
  });
});

describe('a passfile is left alone', () => {
  const other = unsignedJwt({ ...claims, uti: 'another' });

  test.each<[string, string]>([
    ['it is empty', ''],
    ['it holds a line of another program', `${ours}localhost:5432:*:postgres:hunter2\n`],
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
    expect(adoptToken(content, issuedAtMs, [writer, reader], acceptAll)).toBeUndefined();
  });

  test.each<[string, string]>([
    ['is no JWT', 'a-password'],
    ['is empty', ''],
    ['does not state its expiry', unsignedJwt({ iat: claims.iat })],
    ['does not state when it was issued', unsignedJwt({ exp: claims.exp })],
    ['states its expiry in words', unsignedJwt({ ...claims, exp: 'tomorrow' })],
    ['has claims that are a list', unsignedJwt([claims])],
  ])('when its password %s', (_case, password) => {
    const content = formatPassfile([writer], password);
    expect(adoptToken(content, issuedAtMs, [writer], acceptAll)).toBeUndefined();
  });

  test('when there are no entries at all', () => {
    expect(adoptToken('', issuedAtMs, [], acceptAll)).toBeUndefined();
  });
});

test('a passfile is left alone when its token was issued for another identity', () => {
  const isOurs = (claims: Readonly<Record<string, unknown>>) =>
    claims['exp'] !== expiresAtMs / 1000;
  expect(adoptToken(ours, issuedAtMs, [writer, reader], isOurs)).toBeUndefined();
});
