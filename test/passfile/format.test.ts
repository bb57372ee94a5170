import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ANY,
  type Entry,
  type Field,
  formatLine,
  formatPassfile,
  parseLine,
} from '../../src/passfile/format.ts';
import { entry, field, fieldText, namedText } from './arbitrary-fields.ts';
import { type Connection, libpqLookup } from './libpq-lookup.ts';

const anyone: Entry = { host: ANY, port: ANY, database: ANY, user: ANY };

const connection: fc.Arbitrary<Connection> = fc.record({
  host: namedText,
  port: namedText,
  database: namedText,
  user: namedText,
});

const says = (wanted: Field, given: string) => wanted === ANY || wanted === given;

const covers = (wanted: Entry, given: Connection) =>
  says(wanted.host, given.host) &&
  says(wanted.port, given.port) &&
  says(wanted.database, given.database) &&
  says(wanted.user, given.user);

/** A client that connects to exactly what an entry says. */
function connectionOf(wanted: Entry): Connection {
  const textOf = (each: Field) => (each === ANY ? 'whatever' : each);
  return {
    host: textOf(wanted.host),
    port: textOf(wanted.port),
    database: textOf(wanted.database),
    user: textOf(wanted.user),
  };
}

describe('a line', () => {
  test.each<[string, Entry, string]>([
    [
      'plain names',
      {
        host: 'my-server.postgres.database.azure.com',
        port: '5432',
        database: 'appdb',
        user: 'my-app',
      },
      'my-server.postgres.database.azure.com:5432:appdb:my-app:secret',
    ],
    ['wildcards', { ...anyone, user: 'my-app' }, '*:*:*:my-app:secret'],
    ['a name that is a star', { ...anyone, database: '*' }, '*:*:\\*:*:secret'],
    ['a star inside a name', { ...anyone, host: '*.example.com' }, '*.example.com:*:*:*:secret'],
    ['an IPv6 address', { ...anyone, host: '::1' }, '\\:\\:1:*:*:*:secret'],
    ['a backslash', { ...anyone, user: 'a\\b' }, '*:*:*:a\\\\b:secret'],
    ['a host that looks like a comment', { ...anyone, host: '#1' }, '\\#1:*:*:*:secret'],
    [
      'a guest of the tenant',
      { ...anyone, user: 'jo_x.com#EXT#@y.com' },
      '*:*:*:jo_x.com#EXT#@y.com:secret',
    ],
    ['blanks', { ...anyone, database: ' a b ' }, '*:*: a b :*:secret'],
  ])('says %s', (_case, wanted, line) => {
    expect(formatLine({ entry: wanted, password: 'secret' })).toBe(line);
  });

  test('reads back as what was written', () => {
    fc.assert(
      fc.property(entry, fieldText, (wanted, password) => {
        const line = { entry: wanted, password };
        expect(parseLine(formatLine(line))).toEqual(line);
      }),
      { numRuns: 1000 },
    );
  });

  test('reads back also with an empty field, which libpq never asks for', () => {
    fc.assert(
      fc.property(fieldText, fieldText, (host, user) => {
        const line = { entry: { host, port: '', database: '', user }, password: '' };
        expect(parseLine(formatLine(line))).toEqual(line);
      }),
    );
  });

  test('is one line whatever the fields hold', () => {
    fc.assert(
      fc.property(entry, fieldText, (wanted, password) => {
        expect(formatLine({ entry: wanted, password })).not.toMatch(/[\r\n]/);
      }),
    );
  });

  test('gives libpq the password for exactly the values of the entry', () => {
    fc.assert(
      fc.property(entry, fieldText, (wanted, password) => {
        const line = formatLine({ entry: wanted, password });
        expect(libpqLookup(`${line}\n`, connectionOf(wanted))).toBe(password);
      }),
      { numRuns: 1000 },
    );
  });

  test('gives libpq no password when one value differs', () => {
    const name = fc.constantFrom('host', 'port', 'database', 'user');
    fc.assert(
      fc.property(entry, name, namedText, namedText, (wanted, differing, named, other) => {
        fc.pre(named !== other);
        const line = formatLine({ entry: { ...wanted, [differing]: named }, password: 'secret' });
        const asked = { ...connectionOf(wanted), [differing]: other };
        expect(libpqLookup(line, asked)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['host', 'port', 'database', 'user'] as const)(
    'takes a star as %s for a wildcard only when it is one',
    (name) => {
      const asked = { host: 'h', port: '5432', database: 'd', user: 'u' };
      const wild = formatLine({ entry: { ...asked, [name]: ANY }, password: 'secret' });
      const literal = formatLine({ entry: { ...asked, [name]: '*' }, password: 'secret' });
      expect(libpqLookup(wild, asked)).toBe('secret');
      expect(libpqLookup(literal, asked)).toBeUndefined();
      expect(libpqLookup(literal, { ...asked, [name]: '*' })).toBe('secret');
    },
  );

  test('is found by libpq though its host begins with a number sign', () => {
    const line = formatLine({ entry: { ...anyone, host: '#host' }, password: 'secret' });
    expect(libpqLookup(line, { host: '#host', port: '5432', database: 'd', user: 'u' })).toBe(
      'secret',
    );
  });
});

describe('a line of another program', () => {
  test.each([
    ['a comment', '# my-server:5432:appdb:my-app:secret'],
    ['an empty line', ''],
    ['four fields', 'a:b:c:d'],
    ['five fields with an escaped colon between two', 'a:b:c:d\\:e'],
  ])('is skipped when it is %s', (_case, line) => {
    expect(parseLine(line)).toBeUndefined();
  });

  test('has a password that ends at the next bare colon', () => {
    expect(parseLine('a:b:c:d:pass\\:word:not part of it')?.password).toBe('pass:word');
  });

  test('may end in a backslash, which then stands for itself', () => {
    expect(parseLine('a:b:c:d:word\\')?.password).toBe('word\\');
  });

  test('is read as libpq reads it', () => {
    const rawLine = fc.string({
      unit: fc.constantFrom(':', ':', ':', '\\', '*', '#', 'a', 'ä', ' '),
      maxLength: 20,
    });
    fc.assert(
      fc.property(rawLine, (line) => {
        const parsed = parseLine(line);
        if (parsed === undefined) {
          expect(
            libpqLookup(line, { host: 'a', port: 'a', database: 'a', user: 'a' }),
          ).toBeUndefined();
          return;
        }
        fc.pre(Object.values(parsed.entry).every((each) => each !== ''));
        expect(libpqLookup(line, connectionOf(parsed.entry))).toBe(parsed.password);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a passfile', () => {
  test('has one line an entry, in the given order, each ended', () => {
    const entries = [{ ...anyone, host: 'b' }, { ...anyone, host: 'a' }, anyone];
    expect(formatPassfile(entries, 'token')).toBe('b:*:*:*:token\na:*:*:*:token\n*:*:*:*:token\n');
  });

  test('gives libpq the token for what some entry covers, and for nothing else', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), connection, (entries, asked) => {
        const expected = entries.some((each) => covers(each, asked)) ? 'token' : undefined;
        expect(libpqLookup(formatPassfile(entries, 'token'), asked)).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('gives libpq the password of the first line that covers the connection', () => {
    const narrow = fc.record({
      host: fc.oneof(fc.constantFrom('a', '*', '#'), field),
      port: fc.constantFrom('5432', ANY),
      database: fc.constantFrom('a', ANY),
      user: fc.constantFrom('a', 'b', ANY),
    });
    fc.assert(
      fc.property(fc.array(narrow, { minLength: 1, maxLength: 6 }), fc.nat(), (entries, pick) => {
        const picked = entries[pick % entries.length] ?? anyone;
        const asked = connectionOf(picked);
        const passfile = entries
          .map((each, index) => `${formatLine({ entry: each, password: `token-${index}` })}\n`)
          .join('');
        const first = entries.findIndex((each) => covers(each, asked));
        expect(libpqLookup(passfile, asked)).toBe(`token-${first}`);
      }),
      { numRuns: 1000 },
    );
  });
});
