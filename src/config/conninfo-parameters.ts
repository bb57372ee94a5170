import { ANY, type Entry, type Field } from '../passfile/format.ts';
import { ValueError } from './values.ts';

/** What a connection string says, by libpq's keywords. */
export type ConnectionParameters = ReadonlyMap<string, string>;

/**
 * Where Debian's and PGDG's packages of libpq look for the server's socket. Upstream's own default
 * is /tmp; a libpq built so looks this directory up by its path.
 */
const DEFAULT_SOCKET_DIRECTORY = '/var/run/postgresql';

/** Sets a parameter as libpq does: the last of several counts. */
export function storeParameter(
  parameters: Map<string, string>,
  keyword: string,
  value: string,
): void {
  if (keyword === 'password') refusePassword(value);
  parameters.set(keyword, value);
}

/** An empty password is none, to libpq as well: it then looks into the passfile. */
export function refusePassword(password: string): void {
  if (password !== '') {
    throw new ValueError('leave the password out of the connection string: pgpassd supplies it');
  }
}

/**
 * What libpq looks up in the passfile for these parameters, one entry a host: the lists of
 * `pqConnectOptions2` and the names of `passwordFromFile`, both in fe-connect.c. A port or database
 * that is not said matches any. A host or user that is not said is left empty, for the caller to
 * refuse: libpq would take the socket in its default directory and the name of the system's user,
 * which nobody means by a string for a server elsewhere. All other keywords are ignored.
 */
export function entriesOfParameters(parameters: ConnectionParameters): readonly Entry[] {
  const names = elements(parameters.get('host'));
  const addresses = elements(parameters.get('hostaddr'));
  if (names.length > 0 && addresses.length > 0 && names.length !== addresses.length) {
    throw new ValueError(
      `${names.length} hosts need as many addresses (hostaddr), not ${addresses.length}`,
    );
  }
  const ports = portsFor(Math.max(names.length, addresses.length, 1), parameters.get('port'));
  return ports.map((port, index) => ({
    host: lookedUpHost(names[index] || addresses[index] || ''),
    port,
    database: parameters.get('dbname') || ANY,
    user: parameters.get('user') ?? '',
  }));
}

/** Hosts, addresses and ports are lists; an empty text is no list, not a list of one empty element. */
function elements(list = ''): readonly string[] {
  return list === '' ? [] : list.split(',');
}

/** One port is for all hosts; several are for one host each, and an empty one is not said. */
function portsFor(hostCount: number, list: string | undefined): readonly Field[] {
  const ports = elements(list);
  if (ports.length > 1 && ports.length !== hostCount) {
    throw new ValueError(`${hostCount} hosts need one port or ${hostCount}, not ${ports.length}`);
  }
  const shared = ports.length === 1 ? ports[0] : undefined;
  return Array.from({ length: hostCount }, (_, index) => shared || ports[index] || ANY);
}

function lookedUpHost(host: string): string {
  return host === DEFAULT_SOCKET_DIRECTORY ? 'localhost' : host;
}
