import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ANY,
  type Entry,
  formatLine,
  type LookupTarget,
  PLACEHOLDER,
} from '../../src/passfile/format.ts';
import {
  Coverage,
  type EntryLine,
  entryLinesOf,
  fieldNames,
  type Line,
  LineIndex,
  linesServing,
  lookUp,
  parseLines,
  servingInSteps,
  shadowedLines,
} from '../../src/passfile/lookup.ts';
import { finish } from '../../src/support/clock.ts';
import { Secret } from '../../src/support/secret.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { libpqLookup } from './libpq-lookup.ts';

const anyone: Entry = { host: ANY, port: ANY, database: ANY, user: ANY };
const client: LookupTarget = { host: 'server', port: '5432', database: 'shop', user: 'app' };

const numbersOf = (lines: readonly Line[]) => lines.map(({ number }) => number);

function lineCovering(lines: readonly Line[], wanted: Entry): EntryLine | undefined {
  const coverage = new Coverage();
  for (const line of entryLinesOf(lines)) coverage.add(line);
  return coverage.covering(wanted);
}

function onlyEntry(content: string): EntryLine {
  const [line] = entryLinesOf(parseLines(content));
  if (line === undefined) throw new Error('no line of five fields');
  return line;
}

/** Short names, so that lines meet connections often. */
const name = fc.constantFrom('a', 'b', '*', ' a', '\ufeffa', 'a\\');
const connections: fc.Arbitrary<LookupTarget> = fc.record({
  host: name,
  port: name,
  database: name,
  user: name,
});

const rawField = fc.constantFrom('a', 'a', 'b', '*', '*', '\\a', '\\*', 'a\\\\', ' a', '', 'a\\');
const rawLine = fc.oneof(
  fc.array(rawField, { minLength: 3, maxLength: 7 }).map((fields) => fields.join(':')),
  fc.string({ unit: fc.constantFrom(':', ':', '\\', '*', '#', 'a', 'ä', ' ', '\ufeff', '\r') }),
);
/** Any line ends, the last one perhaps without, perhaps after a byte order mark. */
const rawPassfile = fc
  .tuple(
    fc.constantFrom('', '', '\ufeff'),
    fc.array(fc.tuple(rawLine, fc.constantFrom('\n', '\n', '\r\n', '\r\r\n')), { maxLength: 6 }),
    fc.oneof(fc.constant(''), rawLine),
  )
  .map(([mark, ended, rest]) => `${mark}${ended.flat().join('')}${rest}`);

describe('the lines of a passfile', () => {
  test.each<[string, string, Line['kind'][]]>([
    ['nothing', '', []],
    [
      'ended lines',
      'a:b:c:d:e\n# a comment\n\nfour:of:the:fields\n',
      ['entry', 'comment', 'blank', 'malformed'],
    ],
    ['a last line that is not ended', '#\na:b:c:d:e', ['comment', 'entry']],
    ['lines that end as on Windows', '\r\na:b:c:d:e\r\n', ['blank', 'entry']],
    ['a comment behind a blank, which is none', ' # host:5432', ['malformed']],
    ['nothing but blanks', ' \t\n', ['blank']],
    ['a NUL, where C ends a string', 'a:b:c:d:e\0f\n', ['malformed']],
    [
      'text in UTF-16',
      Buffer.from('a:b:c:d:e\n', 'utf16le').toString(),
      ['malformed', 'malformed'],
    ],
  ])('are distinguished: %s', (_case, content, kinds) => {
    const lines = parseLines(content);
    expect(lines.map(({ kind }) => kind)).toEqual(kinds);
    expect(numbersOf(lines)).toEqual(kinds.map((_, index) => index + 1));
  });

  test('take no carriage return into the password', () => {
    expect(onlyEntry('a:b:c:d:e\r\r\n').password.equals(new Secret('e'))).toBe(true);
    expect(onlyEntry('a:b:c:d:e\rf\n').password.equals(new Secret('e\rf'))).toBe(true);
  });

  test.each<[string, string, EntryLine['facts']]>([
    [
      'a token and its life',
      unsignedJwt({ exp: 1_700_000_000, oid: 'me' }),
      {
        kind: 'jwt',
        claims: { exp: 1_700_000_000, oid: 'me' },
        expiresAtMs: 1_700_000_000_000,
      },
    ],
    [
      'a token that does not state its life',
      unsignedJwt({}),
      {
        kind: 'jwt',
        claims: {},
        expiresAtMs: undefined,
      },
    ],
    [
      'a static password',
      'hunter2',
      {
        kind: 'opaque',
        claims: undefined,
        expiresAtMs: undefined,
      },
    ],
    ['no password', '', { kind: 'empty', claims: undefined, expiresAtMs: undefined }],
    [
      'the placeholder of a template',
      PLACEHOLDER,
      {
        kind: 'placeholder',
        claims: undefined,
        expiresAtMs: undefined,
      },
    ],
  ])('reveal %s', (_case, password, facts) => {
    expect(onlyEntry(`a:b:c:d:${password}\n`).facts).toEqual(facts);
  });

  test('print no password', () => {
    const lines = parseLines('a:b:c:d:a-static-password\n');
    expect(JSON.stringify(lines)).not.toContain('static');
    expect(String(onlyEntry('a:b:c:d:e').password)).toBe('[redacted]');
  });

  test.each<[string, string, EntryLine['oddities']]>([
    ['a byte order mark', '\ufeffa:b:c:d:e', [{ kind: 'byte-order-mark' }]],
    ['a blank before the line', ' a:b:c:d:e', [{ kind: 'blanks', field: 'host' }]],
    [
      'blanks behind the colons',
      'a: b:\tc:d:e',
      [
        { kind: 'blanks', field: 'port' },
        { kind: 'blanks', field: 'database' },
      ],
    ],
    ['a blank behind the password', 'a:b:c:d:e ', [{ kind: 'blanks', field: 'password' }]],
    ['a field left empty', 'a::c:d:e', [{ kind: 'empty', field: 'port' }]],
    ['nothing odd', '*:5432:a b:d\\:d:e f', []],
  ])('show %s', (_case, line, oddities) => {
    expect(onlyEntry(line).oddities).toEqual(oddities);
  });
});

describe('looking a connection up', () => {
  test('finds what libpq finds', () => {
    fc.assert(
      fc.property(rawPassfile, connections, (content, connection) => {
        const expected = libpqLookup(content, connection);
        const { found } = lookUp(parseLines(content), connection);
        expect(found !== undefined).toBe(expected !== undefined);
        if (found !== undefined && expected !== undefined) {
          expect(found.password.equals(new Secret(expected))).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('skips only what libpq skips, for the fields that differ', () => {
    fc.assert(
      fc.property(rawPassfile, connections, (content, connection) => {
        const rawLines = content.split('\n');
        for (const { line, differing } of lookUp(parseLines(content), connection).passedOver) {
          const raw = rawLines[line.number - 1] ?? '';
          expect(libpqLookup(raw, connection)).toBeUndefined();
          if (line.kind !== 'entry') continue;
          expect(differing).not.toEqual([]);
          const said = differing.map((field) => [field, line.entry[field]] as const);
          if (said.some(([, text]) => text === '')) continue;
          const agreeing = { ...connection, ...Object.fromEntries(said) };
          expect(libpqLookup(raw, agreeing)).toBeDefined();
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('says why each earlier line does not match', () => {
    const lines = parseLines(
      [
        '# ours',
        '',
        'server:5432:shop:app',
        'SERVER:5432:shop:app:one',
        'server.:6432:*:root:two',
        '\ufeffserver:5432:shop:app:three',
        'server:5432:*:app:four',
        '*:*:*:*:five',
      ].join('\n'),
    );
    const { found, passedOver } = lookUp(lines, client);
    expect(found?.number).toBe(7);
    expect(passedOver.map(({ line, differing }) => [line.kind, ...differing])).toEqual([
      ['comment'],
      ['blank'],
      ['malformed'],
      ['entry', 'host'],
      ['entry', 'host', 'port', 'user'],
      ['entry', 'host'],
    ]);
  });

  test('skips every line when none matches', () => {
    const lines = parseLines('other:*:*:*:one\n#\n');
    const { found, passedOver } = lookUp(lines, client);
    expect(found).toBeUndefined();
    expect(passedOver.map(({ line }) => line)).toEqual(lines);
  });
});

/** Few names, so that every connection that distinguishes lines can be tried; `c` is in no line. */
const someField = fc.constantFrom('a', 'b', ANY, ANY);
const someEntry: fc.Arbitrary<Entry> = fc.record({
  host: someField,
  port: someField,
  database: someField,
  user: someField,
});
const names = ['a', 'b', 'c'];
const everyConnection: readonly LookupTarget[] = names.flatMap((host) =>
  names.flatMap((port) =>
    names.flatMap((database) => names.map((user) => ({ host, port, database, user }))),
  ),
);

const describedBy = (wanted: Entry) =>
  everyConnection.filter((connection) =>
    fieldNames.every((field) => wanted[field] === ANY || wanted[field] === connection[field]),
  );

/** A passfile in which every password is the number of its line. */
const numbered = (entries: readonly Entry[]) =>
  entries.map((entry, index) => `${formatLine({ entry, password: String(index + 1) })}\n`).join('');

const reached = (content: string, wanted: Entry): (number | undefined)[] => {
  const passwords = describedBy(wanted).map((connection) => libpqLookup(content, connection));
  return [...new Set(passwords)].map((password) => password && Number(password)) as number[];
};

const passfiles = fc.array(someEntry, { maxLength: 6 }).map(numbered);

describe('looking up a connection that is only partly known', () => {
  test('finds exactly the lines that libpq would find for some connection', () => {
    fc.assert(
      fc.property(passfiles, someEntry, (content, wanted) => {
        const serving = numbersOf(linesServing(parseLines(content), wanted));
        const expected = reached(content, wanted).filter((number) => number !== undefined);
        expect(serving).toEqual(expected.toSorted((one, other) => one - other));
      }),
      { numRuns: 1000 },
    );
  });

  test('finds the same with an index of the lines, whatever was looked up before', () => {
    fc.assert(
      fc.property(passfiles, fc.array(someEntry, { maxLength: 4 }), (content, entries) => {
        const lines = parseLines(content);
        const index = new LineIndex(entryLinesOf(lines));
        for (const wanted of entries) {
          const found = finish(servingInSteps(finish(index.matching(wanted)), wanted));
          expect(found).toEqual(linesServing(lines, wanted));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('finds the line that covers all that the lines before it do not', () => {
    fc.assert(
      fc.property(passfiles, someEntry, (content, wanted) => {
        const covering = lineCovering(parseLines(content), wanted);
        const worst = reached(content, wanted).map((number) => number ?? Number.POSITIVE_INFINITY);
        expect(Math.max(...worst)).toBeLessThanOrEqual(
          covering?.number ?? Number.POSITIVE_INFINITY,
        );
        if (covering === undefined) expect(worst).toContain(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[string, string, Partial<Entry>, number[], number | undefined]>([
    ['its own line', 'server:5432:*:app:x', { host: 'server', port: '5432', user: 'app' }, [1], 1],
    [
      'a line for one of its databases',
      'server:5432:shop:app:x',
      { host: 'server' },
      [1],
      undefined,
    ],
    [
      'lines before the one for all',
      'server:*:shop:*:x\nserver:*:*:*:y\n*:*:*:*:z',
      {
        host: 'server',
      },
      [1, 2],
      2,
    ],
    ['no line', 'other:5432:*:app:x', { host: 'server' }, [], undefined],
  ])('of a client gives %s', (_case, content, known, serving, covering) => {
    const lines = parseLines(content);
    expect(numbersOf(linesServing(lines, { ...anyone, ...known }))).toEqual(serving);
    expect(lineCovering(lines, { ...anyone, ...known })?.number).toBe(covering);
  });
});

describe('a line that libpq never reaches', () => {
  test('is found, and no other', () => {
    fc.assert(
      fc.property(passfiles, (content) => {
        const lines = parseLines(content);
        const shadowed = shadowedLines(lines).map(({ line }) => line.number);
        const everReached = reached(content, anyone);
        expect(shadowed).toEqual(
          numbersOf(lines).filter((number) => !everReached.includes(number)),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('names the first line that covers it', () => {
    const lines = parseLines('#\n*:*:*:app:one\n*:*:*:*:two\nserver:*:*:app:three\n');
    expect(shadowedLines(lines).map(({ line, by }) => [line.number, by.number])).toEqual([[4, 2]]);
  });
});
