import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entriesFromPgVariables, parseEntries } from '../../src/config/entry.ts';
import { ValueError } from '../../src/config/values.ts';
import { ANY, type Entry } from '../../src/passfile/format.ts';
import { anyCharacter } from '../support/any-character.ts';
import { leastMs } from '../support-units/own-time.ts';
import { asPairs, asQuery, asUri, type Said, said, type Way, way } from './conninfo-text.ts';
import { outcomeOf } from './outcome.ts';

const server = 'my-server.postgres.database.azure.com';
const user = 'u';

/** Strings as applications have them; test/postgres/connection-strings.integration.test.ts asks libpq about more. */
describe('a connection string names', () => {
  test.each<[string, Entry]>([
    [
      `postgresql://my-app@${server}:5432/appdb?sslmode=require`,
      { host: server, port: '5432', database: 'appdb', user: 'my-app' },
    ],
    [`postgres://u@${server}`, { host: server, port: ANY, database: ANY, user }],
    [
      `host=${server} port=6432 dbname=appdb user=my-app sslmode=verify-full`,
      { host: server, port: '6432', database: 'appdb', user: 'my-app' },
    ],
    [` user = u\thost\n=\nh`, { host: 'h', port: ANY, database: ANY, user }],
    ['postgresql://u@h/*', { host: 'h', port: ANY, database: '*', user }],
    ['host=h user=*', { host: 'h', port: ANY, database: ANY, user: '*' }],
    ['postgresql://u:@h?password=', { host: 'h', port: ANY, database: ANY, user }],
    ["host=h user=u password=''", { host: 'h', port: ANY, database: ANY, user }],
    ['postgresql://u@h/%EF%BB%BFdb', { host: 'h', port: ANY, database: '\ufeffdb', user }],
  ])('whom it is for: %j', (text, entry) => {
    expect(parseEntries(text)).toEqual([entry]);
  });

  // The default directory is that of Debian's and PGDG's packages: see passwordFromFile.
  test.each([
    'postgresql://u@%2Fvar%2Frun%2Fpostgresql',
    'postgresql:///?host=/var/run/postgresql&user=u',
    'host=/var/run/postgresql user=u',
  ])('the default socket directory by localhost: %s', (text) => {
    expect(parseEntries(text)).toMatchObject([{ host: 'localhost' }]);
  });

  // libpq fails on a keyword that it does not know, and the drivers that do know it are not libpq.
  test.each([
    'postgresql://u@h?azure_workload_identity=true&pgbouncer=true&schema=public',
    'host=h user=u azure_workload_identity=true pgbouncer=true schema=public',
  ])("the same with other drivers' parameters: %s", (text) => {
    expect(parseEntries(text)).toEqual([{ host: 'h', port: ANY, database: ANY, user }]);
  });
});

describe('a connection string is refused', () => {
  test.each<[string, RegExp]>([
    ['postgresql://u:hunter2@h/db', /leave the password out.*pgpassd supplies it/],
    ['postgresql://u:hunter2%@h/db', /password/],
    ['postgresql://u:hunter2@other@h/db', /password/],
    ['postgresql://u@h/db?password=hunter2', /password/],
    ['postgresql://u@h/db?p%61ssword=hunter2%', /password/],
    ['postgresql://u:hunter2@h/db?password=', /password/],
    ['host=h user=u password=hunter2', /password/],
    ["host=h user=u password='hunter2' password=''", /password/],
    ['postgresql://h/hunter2', /user is missing/],
    ['postgresql://@h/hunter2', /user is missing/],
    ['postgresql://u@h?user=', /user is missing/],
    ['host=h dbname=hunter2', /user is missing/],
    ['postgresql://u@/hunter2', /host is missing/],
    ['postgresql://?user=u', /host is missing/],
    ['postgresql://u@h?host=', /host is missing/],
    ['postgresql://u@h,,h2/hunter2', /host is missing/],
    ['postgresql://u@h,/hunter2', /host is missing/],
    ['user=u dbname=hunter2', /host is missing/],
    ['host=a,,b hostaddr=,,2 user=u', /host is missing/],
    ['postgresql://u@*/hunter2', /name the host.*\*:port:database:user/],
    ['host=h,* user=u', /name the host/],
    ['host=h port=* user=u', /port/],
    ['postgresql://u@h:0/hunter2', /port/],
    ['postgresql://u@h:65536/hunter2', /port/],
    ['postgresql://u@h:hunter2/db', /port/],
    // Looked up as it is spelled, which is nothing to write into a passfile.
    ["host=h port=' 5432' user=u", /port/],
    ['postgresql://u@a:1,b:2,c:3?port=1,2', /3 hosts .* not 2/],
    ['host=a,b hostaddr=1,2,3 user=u', /2 hosts .* not 3/],
    ['postgresql://u@h/hun%ter2', /%25/],
    ['postgresql://u@h/hunter2%', /%25/],
    // libpq hands any byte on; a passfile written as UTF-8 cannot.
    ['postgresql://u@h/hunter2%FF', /UTF-8/],
    ['postgresql://u@h/hunter2%00', /%00/],
    // Up to libpq 17 a part of the name, from 18 on dropped or refused.
    ['postgresql://u@h/hunter2 db', /%20/],
    ['postgresql://u@[::1/hunter2', /bracket .* not closed/],
    ['postgresql://u@[]/hunter2', /between the brackets/],
    ['postgresql://u@[::1]hunter2', /follow the brackets/],
    ['postgresql://u@h?hunter2', /no =/],
    ['postgresql://u@h?&user=u', /no =/],
    ['postgresql://u@h?options=a=hunter2', /second =/],
    ['host=h user=u hunter2', /no =/],
    ["host=h user='hunter2", /quote .* not closed/],
    ["host=h user='hunter2\\'", /quote .* not closed/],
    ["host=h user='hunter2\n'", /line break/],
    ['postgresql://u@h/hunter2%0A', /line break/],
    ['postgresql+psycopg://u:hunter2@h:5432/db', /port/],
    ['jdbc:postgresql://h/hunter2', /connection string/],
  ])('without repeating it: %j', (text, hint) => {
    expect(() => parseEntries(text)).toThrow(ValueError);
    expect(() => parseEntries(text)).toThrow(hint);
    expect(() => parseEntries(text)).not.toThrow(/hunter2|hun%ter2/);
  });
});

function entriesOf({ hosts, database, user }: Said): Entry[] {
  return hosts.map(({ host, port }) => ({
    host,
    port: port || ANY,
    database: database || ANY,
    user,
  }));
}

describe('what is written is read', () => {
  test.each<[string, (said: Said, way: Way) => string]>([
    ['as key=value pairs', asPairs],
    ['as a URI', asUri],
    ['as the parameters of a URI', asQuery],
  ])('%s', (_form, write) => {
    fc.assert(
      fc.property(said, way, (wanted, pick) => {
        expect(parseEntries(write(wanted, pick))).toEqual(entriesOf(wanted));
      }),
      { numRuns: 500 },
    );
  });

  test("as libpq's variables", () => {
    fc.assert(
      fc.property(said, (wanted) => {
        const env = {
          PGHOST: wanted.hosts.map(({ host }) => host).join(','),
          PGPORT: wanted.hosts.map(({ port }) => port).join(','),
          PGDATABASE: wanted.database,
          PGUSER: wanted.user,
        };
        expect(entriesFromPgVariables(env)).toEqual(entriesOf(wanted));
      }),
    );
  });
});

describe('whatever is given', () => {
  const beginnings = fc.constantFrom(
    '',
    'postgresql://',
    'postgres://u@',
    'host=',
    "user=u host='",
  );
  const ends = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.string({ unit: fc.constantFrom(...":/?[]@,&=%'\\ 0a", 'host=', 'user=', '%41') }),
  );

  test('is read, or refused with a ValueError', () => {
    fc.assert(
      fc.property(beginnings, ends, (beginning, end) => {
        const text = beginning + end;
        const outcome = outcomeOf(() => parseEntries(text));
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(ValueError);
        else expect(outcome.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  ...['%41', '%', ',', ':', '@', '/', '&', '&a=', '=', '[', ']', ' '].map(
    (part) => `postgresql://u@h${part.repeat(200_000)}`,
  ),
  ...[' ', '\\', "'", '=', 'a=b ', "a=''", 'a', '\\:', ':'].map(
    (part) => `host=${part.repeat(200_000)}`,
  ),
  'a '.repeat(200_000),
  'a'.repeat(200_000),
  ' '.repeat(200_000),
  ':'.repeat(200_000),
])('a text takes no longer than it is long (%#)', async (text) => {
  const parse = () => outcomeOf(() => parseEntries(text));
  // A scan that starts over at every character would take minutes.
  expect(await leastMs(parse, 5_000)).toBeLessThan(5_000);
});
