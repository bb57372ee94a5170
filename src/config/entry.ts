import { ANY, type Entry, type Field, parseField, splitFields } from '../passfile/format.ts';
import type { Environment } from './given.ts';
import { ValueError } from './values.ts';

/** A passfile line without its password: `host:port:database:user`, with the passfile's escapes. */
export function parseEntry(text: string): Entry {
  const fields = splitFields(text);
  const [host = '', port = '', database = '', user = ''] = fields;
  if (fields.length > 4) {
    throw new ValueError(
      'write host:port:database:user without a password; a colon inside a field is written \\:',
    );
  }
  if (fields.length < 4) throw new ValueError('write host:port:database:user; * stands for any');
  return entryOf({
    host: parseField(host),
    port: port === '' ? ANY : parseField(port),
    database: database === '' ? ANY : parseField(database),
    user: parseField(user),
  });
}

/**
 * The entries that libpq's own variables describe, one a host; what they do not say matches any.
 * Several hosts are separated by commas, with one port for all or one for each:
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 */
export function entriesFromPgVariables(env: Environment): readonly Entry[] {
  const hosts = (env['PGHOST'] ?? '').split(',');
  const ports = (env['PGPORT'] ?? '').split(',');
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new ValueError(
      `${hosts.length} hosts need one port or ${hosts.length}, not ${ports.length}`,
    );
  }
  return hosts.map((host, index) =>
    entryOf({
      host,
      port: (ports.length > 1 ? ports[index] : ports[0]) || ANY,
      database: env['PGDATABASE'] || ANY,
      user: env['PGUSER'] ?? '',
    }),
  );
}

function entryOf(entry: Entry): Entry {
  if (entry.host === '') throw new ValueError('the host is missing');
  if (entry.user === '') throw new ValueError('the user is missing');
  for (const field of Object.values(entry) as Field[]) {
    if (field !== ANY && /[\r\n\0]/.test(field)) {
      throw new ValueError('a passfile line cannot hold a line break or a NUL');
    }
  }
  if (entry.port !== ANY && !(/^\d{1,5}$/.test(entry.port) && Number(entry.port) <= 65_535)) {
    throw new ValueError('the port is a number up to 65535, or * for any');
  }
  return entry;
}
