import {
  ANY,
  type Entry,
  type Field,
  type LookupTarget,
  parseField,
  splitFields,
} from '../passfile/format.ts';
import { isPort } from '../support/network.ts';
import {
  type ConnectionParameters,
  entriesOfParameters,
  parseConnectionString,
} from './conninfo.ts';
import type { Environment } from './option.ts';
import { ValueError } from './values.ts';

/**
 * The entries that a text stands for: a passfile line without its password, or a connection string that the
 * application already has, with one entry for each host, as libpq looks it up.
 *
 * @throws ValueError
 */
export function parseEntries(text: string): readonly Entry[] {
  const parameters = parseConnectionString(text);
  return parameters === undefined ? [parseLineEntry(text)] : entriesOfString(parameters);
}

/**
 * The connections that a client makes with an entry or a connection string. As in libpq, the port defaults
 * to 5432 and the database to the user's name.
 *
 * @throws ValueError
 */
export function parseConnections(text: string): readonly LookupTarget[] {
  return parseEntries(text).map((entry) => {
    const connection = connectionTo(entry);
    if (connection === undefined) throw new ValueError('name the host and the user');
    return connection;
  });
}

/** `undefined` when the entry lacks the host or the user, for which libpq has defaults of its own. */
export function connectionTo({ host, port, database, user }: Entry): LookupTarget | undefined {
  if (host === ANY || user === ANY) return undefined;
  return { host, port: port ?? '5432', database: database ?? user, user };
}

/**
 * A host of `*` is refused. To libpq it is a name like any other, which no server has; in an entry it is
 * meant as the wildcard, which only the form of a passfile line can express.
 */
function entriesOfString(parameters: ConnectionParameters): readonly Entry[] {
  const entries = entriesOfParameters(parameters).map(checked);
  if (entries.some(({ host }) => host === '*')) {
    throw new ValueError(
      'name the host: in a connection string * is no wildcard; write an entry for any host as *:port:database:user',
    );
  }
  return entries;
}

/** A passfile line without its password: `host:port:database:user`, with the passfile's escapes. */
function parseLineEntry(text: string): Entry {
  if (/^\s*-\s/.test(text)) {
    throw new ValueError('remove the dash before it: write one entry per line, without YAML');
  }
  if (/\s#/.test(text))
    throw new ValueError('remove the comment behind it: # does not begin one here');
  const fields = splitFields(text);
  if (fields.length > 4 && text.split(/[,;]/).every((each) => splitFields(each).length === 4)) {
    throw new ValueError('write one entry per line, not several with commas in between');
  }
  const [host = '', port = '', database = '', user = ''] = fields;
  if (fields.length > 4) {
    throw new ValueError(
      'write host:port:database:user without a password; write a colon inside a field as \\:',
    );
  }
  if (fields.length < 4) {
    throw new ValueError(
      'write host:port:database:user, where * stands for any, or a connection string such as postgresql://user@host/database',
    );
  }
  return checked({
    host: parseField(host),
    port: port === '' ? ANY : parseField(port),
    database: database === '' ? ANY : parseField(database),
    user: parseField(user),
  });
}

/** libpq's own variables and the keywords they stand for. */
export const PG_VARIABLES = {
  PGHOST: 'host',
  PGHOSTADDR: 'hostaddr',
  PGPORT: 'port',
  PGDATABASE: 'dbname',
  PGUSER: 'user',
};

/**
 * The entries that libpq's own variables describe, one per host; a missing port or database matches any.
 * Several hosts are separated by commas, with one port for all or one for each:
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
export function entriesFromPgVariables(env: Environment): readonly Entry[] {
  const parameters = Object.entries(PG_VARIABLES).map(([variable, keyword]): [string, string] => [
    keyword,
    env[variable] ?? '',
  ]);
  return entriesOfParameters(new Map(parameters)).map(checked);
}

/** Far above any name of a host, a socket's directory, a database or a role. */
const LONGEST_FIELD = 4_095;

/** The entry, if a passfile can hold it and a client can look it up. */
function checked(entry: Entry): Entry {
  if (entry.host === '') throw new ValueError('the host is missing');
  if (entry.user === '') throw new ValueError('the user is missing');
  for (const field of Object.values(entry) as Field[]) {
    if (field !== ANY && field.length > LONGEST_FIELD) {
      throw new ValueError(
        `a host, port, database or user has ${LONGEST_FIELD} characters at most`,
      );
    }
    if (field !== ANY && /[\r\n\0]/.test(field)) {
      throw new ValueError('a passfile line cannot hold a line break or a NUL');
    }
  }
  if (entry.port !== ANY && !isPort(entry.port)) {
    throw new ValueError('the port is a number from 1 to 65535');
  }
  return entry;
}
