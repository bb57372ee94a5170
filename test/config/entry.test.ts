import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entriesFromPgVariables, parseEntries } from '../../src/config/entry.ts';
import { ValueError } from '../../src/config/values.ts';
import { ANY, type Entry, type Field, formatLine } from '../../src/passfile/format.ts';
import { entry as arbitraryEntry, namedText } from '../passfile/arbitrary-fields.ts';

const server = 'my-server.postgres.database.azure.com';

describe('an entry', () => {
  test.each<[string, Entry]>([
    [
      `${server}:5432:appdb:my-app`,
      { host: server, port: '5432', database: 'appdb', user: 'my-app' },
    ],
    [`${server}:*:*:my-app`, { host: server, port: ANY, database: ANY, user: 'my-app' }],
    [`${server}:::my-app`, { host: server, port: ANY, database: ANY, user: 'my-app' }],
    [`${server}:5432:appdb:*`, { host: server, port: '5432', database: 'appdb', user: ANY }],
    ['*:*:*:my-app', { host: ANY, port: ANY, database: ANY, user: 'my-app' }],
    ['\\*:*:*:my-app', { host: '*', port: ANY, database: ANY, user: 'my-app' }],
    ['\\:\\:1:*:*:my-app', { host: '::1', port: ANY, database: ANY, user: 'my-app' }],
    ['h:*:*:a\\\\b', { host: 'h', port: ANY, database: ANY, user: 'a\\b' }],
    [
      'h:*:a b:jo_x.com#EXT#@y.com',
      { host: 'h', port: ANY, database: 'a b', user: 'jo_x.com#EXT#@y.com' },
    ],
    ['/var/run/pg:1:*:u', { host: '/var/run/pg', port: '1', database: ANY, user: 'u' }],
  ])('is written %s', (text, entry) => {
    expect(parseEntries(text)).toEqual([entry]);
  });

  test.each([
    ['', /host:port:database:user/],
    [server, /host:port:database:user/],
    [`${server}:5432:appdb`, /host:port:database:user/],
    [`${server}:5432:appdb:my-app:hunter2`, /without a password/],
    [`${server}:5432:appdb:my-app:`, /without a password/],
    ['::1:5432:appdb:my-app', /without a password/],
    [':5432:appdb:my-app', /host is missing/],
    [`${server}:5432:appdb:`, /user is missing/],
    [`${server}:postgres:appdb:my-app`, /port/],
    [`${server}:543210:appdb:my-app`, /port/],
    [`${server}:-1:appdb:my-app`, /port/],
    [`${server}:0:appdb:my-app`, /port/],
    [`${server}:\\*:appdb:my-app`, /port/],
    [`${server}:5432:app\ndb:my-app`, /line break/],
    [`${server}:5432:appdb:my\rapp`, /line break/],
    [`${server}:5432:appdb:my\0app`, /NUL/],
  ])('is not written %j', (text, hint) => {
    expect(() => parseEntries(text)).toThrow(ValueError);
    expect(() => parseEntries(text)).toThrow(hint);
    expect(() => parseEntries(text)).not.toThrow(/hunter2/);
  });

  test.each([
    ['a dash of YAML', '- db:5432:*:app', /remove the dash/],
    ['a comment behind it', 'db:5432:*:app # the reader', /remove the comment/],
    ['several in one', 'one:5432:*:app,two:5432:*:app', /one entry per line/],
    ['several in one, with blanks', 'one:5432:*:app; two:5432:*:app', /one entry per line/],
  ])('is refused with what to remove: %s', (_case, text, hint) => {
    expect(() => parseEntries(text)).toThrow(ValueError);
    expect(() => parseEntries(text)).toThrow(hint);
  });

  test('is written as its line in the passfile, less the password', () => {
    const port: fc.Arbitrary<Field> = fc.oneof(
      fc.constant(ANY),
      fc.integer({ min: 1, max: 65_535 }).map(String),
    );
    fc.assert(
      fc.property(arbitraryEntry, port, (wanted, wantedPort) => {
        const entry = { ...wanted, port: wantedPort };
        const line = formatLine({ entry, password: 'secret' });
        // Names that no server has, and that look like YAML or a comment.
        fc.pre(!/^\s*-\s|\s#/.test(line));
        expect(parseEntries(line.slice(0, -':secret'.length))).toEqual([entry]);
      }),
    );
  });
});

describe("libpq's own variables", () => {
  test.each<[string, object, readonly Entry[]]>([
    [
      'all that there are',
      { PGHOST: server, PGPORT: '6432', PGDATABASE: 'appdb', PGUSER: 'my-app' },
      [{ host: server, port: '6432', database: 'appdb', user: 'my-app' }],
    ],
    [
      'host and user alone',
      { PGHOST: server, PGUSER: 'my-app', PGPORT: '', PGDATABASE: '' },
      [{ host: server, port: ANY, database: ANY, user: 'my-app' }],
    ],
    [
      'several hosts with one port',
      { PGHOST: 'a,b', PGPORT: '5432', PGUSER: 'u' },
      ['a', 'b'].map((host) => ({ host, port: '5432', database: ANY, user: 'u' })),
    ],
    [
      'several hosts with their ports',
      { PGHOST: 'a,b,c', PGPORT: '5432,,6432', PGUSER: 'u' },
      [
        { host: 'a', port: '5432', database: ANY, user: 'u' },
        { host: 'b', port: ANY, database: ANY, user: 'u' },
        { host: 'c', port: '6432', database: ANY, user: 'u' },
      ],
    ],
    [
      'an address alone',
      { PGHOSTADDR: '10.0.0.4', PGUSER: 'u' },
      [{ host: '10.0.0.4', port: ANY, database: ANY, user: 'u' }],
    ],
    [
      'hosts that have addresses, by their names',
      { PGHOST: 'a,', PGHOSTADDR: '10.0.0.4,10.0.0.5', PGUSER: 'u' },
      ['a', '10.0.0.5'].map((host) => ({ host, port: ANY, database: ANY, user: 'u' })),
    ],
    [
      'the default socket directory, by localhost',
      { PGHOST: '/var/run/postgresql', PGUSER: 'u' },
      [{ host: 'localhost', port: ANY, database: ANY, user: 'u' }],
    ],
  ])('make entries: %s', (_case, env, entries) => {
    expect(entriesFromPgVariables({ ...env })).toEqual(entries);
  });

  test.each([
    ['no user', { PGHOST: server }, /user is missing/],
    ['an empty host', { PGHOST: 'a,,b', PGUSER: 'u' }, /host is missing/],
    ['no host', { PGUSER: 'u' }, /host is missing/],
    ['a port too few', { PGHOST: 'a,b,c', PGPORT: '1,2', PGUSER: 'u' }, /3 hosts .* not 2/],
    ['a port too many', { PGHOST: 'a', PGPORT: '1,2', PGUSER: 'u' }, /1 hosts .* not 2/],
    ['an address too few', { PGHOST: 'a,b', PGHOSTADDR: '1', PGUSER: 'u' }, /2 hosts .* not 1/],
    ['a port that is none', { PGHOST: 'a', PGPORT: 'pg', PGUSER: 'u' }, /port/],
    ['a line break', { PGHOST: 'a', PGUSER: 'u\nv' }, /line break/],
  ])('make no entry: %s', (_case, env, hint) => {
    expect(() => entriesFromPgVariables(env)).toThrow(ValueError);
    expect(() => entriesFromPgVariables(env)).toThrow(hint);
  });

  test('say a star or a colon literally, since they know no escapes', () => {
    const plain = namedText.filter((text) => !text.includes(','));
    fc.assert(
      fc.property(plain, namedText, namedText, (host, database, user) => {
        const env = { PGHOST: host, PGDATABASE: database, PGUSER: user };
        expect(entriesFromPgVariables(env)).toEqual([{ host, port: ANY, database, user }]);
      }),
    );
  });
});
