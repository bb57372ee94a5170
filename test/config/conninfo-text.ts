import fc from 'fast-check';
import { anyCharacter } from '../support/any-character.ts';

/** What a connection string can say about one host; an empty text is not said. */
interface SaidHost {
  readonly host: string;
  readonly port: string;
}

/** Everything that an entry takes from a connection string. */
export interface Said {
  readonly hosts: readonly SaidHost[];
  readonly database: string;
  readonly user: string;
}

/** Rich in what means something to one of the two syntaxes, without line breaks and NUL. */
const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom(...":/?#[]@,&=%+*'\\ \t", 'a', '5', 'ä', '🐘', '%41', '%00', '\\'),
    maxLength: 8,
  }),
  fc.string({ unit: anyCharacter, maxLength: 8 }).filter((each) => !/[\r\n\0]/.test(each)),
);

/** A comma parts hosts even where it is encoded; `*` is refused. */
const host = text
  .map((each) => each.replaceAll(',', ';'))
  .filter((each) => each !== '' && each !== '*');

const port = fc.oneof(fc.constant(''), fc.integer({ min: 1, max: 65_535 }).map(String));

export const said: fc.Arbitrary<Said> = fc.record({
  hosts: fc.array(fc.record({ host, port }), { minLength: 1, maxLength: 4 }),
  database: text,
  user: text.filter((each) => each !== ''),
});

/** One way of several to write a value: which one is drawn for each value apart. */
export type Way = () => boolean;

export const way: fc.Arbitrary<Way> = fc
  .infiniteStream(fc.boolean())
  .map((stream) => () => stream.next().value === true);

/** A value between quotes, or with a backslash before everything that means something. */
function pairValue(value: string, quoted: boolean): string {
  if (quoted || value === '') return `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
  return value.replaceAll(/[\\'\s]/g, '\\$&');
}

/** Percent-encoded down to the last byte, or only where it has to be. */
function uriValue(value: string, everything: boolean): string {
  if (!everything) return encodeURIComponent(value);
  return [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

export function asPairs({ hosts, database, user }: Said, pick: Way): string {
  const pairs = [
    ['host', hosts.map((each) => each.host).join(',')],
    ['port', hosts.map((each) => each.port).join(',')],
    ['dbname', database],
    ['user', user],
  ];
  return pairs
    .map(([keyword, value = '']) => {
      const equals = pick() ? ' = ' : '=';
      return `${keyword}${equals}${pairValue(value, pick())}`;
    })
    .join(pick() ? ' ' : '\t\n');
}

export function asUri({ hosts, database, user }: Said, pick: Way): string {
  const prefix = pick() ? 'postgresql://' : 'postgres://';
  const netlocs = hosts.map(
    (each) => uriValue(each.host, pick()) + (each.port === '' ? '' : `:${each.port}`),
  );
  const path = database === '' ? '' : `/${uriValue(database, pick())}`;
  return `${prefix}${uriValue(user, pick())}@${netlocs.join(',')}${path}`;
}

/** The same with everything behind the `?`. */
export function asQuery({ hosts, database, user }: Said, pick: Way): string {
  const lists = {
    host: hosts.map((each) => each.host).join(','),
    port: hosts.map((each) => each.port).join(','),
    dbname: database,
    user,
  };
  const parameters = Object.entries(lists).map(
    ([keyword, value]) => `${uriValue(keyword, pick())}=${uriValue(value, pick())}`,
  );
  return `postgresql://?${parameters.join('&')}`;
}
