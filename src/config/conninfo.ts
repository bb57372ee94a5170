import { ANY, type Entry, type Field } from '../passfile/format.ts';
import { ValueError } from './values.ts';

/** The parameters of a connection string, by libpq's keywords. */
export type ConnectionParameters = ReadonlyMap<string, string>;

/**
 * Where Debian's and PGDG's packages of libpq look for the server's socket. Upstream's own default
 * is /tmp; a libpq built so looks this directory up by its path.
 */
const DEFAULT_SOCKET_DIRECTORY = '/var/run/postgresql';

/** Sets a parameter as libpq does: the last one wins. */
function storeParameter(parameters: Map<string, string>, keyword: string, value: string): void {
  if (keyword === 'password') refusePassword(value);
  parameters.set(keyword, value);
}

/** An empty password is none: libpq, too, then looks into the passfile. */
function refusePassword(password: string): void {
  if (password !== '') {
    throw new ValueError('leave the password out of the connection string: pgpassd supplies it');
  }
}

/**
 * Reads a connection string as libpq does; `undefined` when the text is none. libpq refuses keywords that
 * it does not know. Here they are ignored: they belong to other drivers, such as `pgbouncer=true`, and do
 * not change what the password is for.
 *
 * @throws ValueError
 */
export function parseConnectionString(text: string): ConnectionParameters | undefined {
  if (URI_PREFIXES.some((prefix) => text.startsWith(prefix))) return parseUri(text);
  return /^\s*\w+\s*=/.test(text) ? parsePairs(text) : undefined;
}

/**
 * What libpq looks up in the passfile for these parameters, one entry a host: the lists of
 * `pqConnectOptions2` and the names of `passwordFromFile`, both in fe-connect.c. A missing port or
 * database matches any. A missing host or user is left empty, for the caller to refuse: libpq would use the
 * socket in its default directory and the name of the system's user, which is never meant by a string for a
 * server elsewhere. All other keywords are ignored.
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

/** The elements of a list of hosts, addresses or ports; an empty text has none. */
function elements(list = ''): readonly string[] {
  return list === '' ? [] : list.split(',');
}

/** One port is for all hosts; several are for one host each, and an empty one matches any. */
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

const URI_PREFIXES = ['postgresql://', 'postgres://'];

/**
 * Reads `postgresql://user@host:port,host:port/dbname?keyword=value` as `conninfo_uri_parse_options`
 * in fe-connect.c does. It is no URI of RFC 3986: there may be several hosts, or none, and neither
 * `#` nor `+` means anything. The parameters after `?` replace what comes before it.
 */
function parseUri(uri: string): ConnectionParameters {
  const parameters = new Map<string, string>();
  // Empty parts do not set a parameter; only an empty one after `?` does.
  const store = (keyword: string, encoded: string): void => {
    if (encoded !== '') storeParameter(parameters, keyword, decode(encoded));
  };
  const { user, address } = splitUser(uri.slice(uri.indexOf('//') + 2));
  const { hosts, ports, rest } = takeHosts(address);
  const databaseEnd = endBefore(rest, '?', 0);
  store('user', user);
  // libpq decodes the whole list before it splits it, so an encoded comma separates, too.
  store('host', hosts.join(','));
  store('port', ports.join(','));
  store('dbname', rest.slice(1, databaseEnd));
  storeQuery(parameters, rest.slice(databaseEnd + 1));
  return parameters;
}

/** The user ends at the first `@`, if that comes before the first `/`. */
function splitUser(text: string): { user: string; address: string } {
  const end = endBefore(text, '@/', 0);
  if (text[end] !== '@') return { user: '', address: text };
  const userEnd = endBefore(text, ':@', 0);
  refusePassword(text.slice(userEnd + 1, end));
  return { user: text.slice(0, userEnd), address: text.slice(end + 1) };
}

interface Hosts {
  readonly hosts: readonly string[];
  readonly ports: readonly string[];
  /** What follows them: nothing, or `/…`, or `?…`. */
  readonly rest: string;
}

function takeHosts(text: string): Hosts {
  const hosts: string[] = [];
  const ports: string[] = [];
  let start = 0;
  for (;;) {
    const host = takeHost(text, start);
    const portEnd = text[host.end] === ':' ? endBefore(text, '/?,', host.end) : host.end;
    hosts.push(host.text);
    ports.push(text.slice(host.end + 1, portEnd));
    if (text[portEnd] !== ',') return { hosts, ports, rest: text.slice(portEnd) };
    start = portEnd + 1;
  }
}

/** A name or an address as it is spelled, without the brackets of an IPv6 address. */
function takeHost(text: string, start: number): { text: string; end: number } {
  if (text[start] !== '[') {
    const end = endBefore(text, ':/?,', start);
    return { text: text.slice(start, end), end };
  }
  const bracket = text.indexOf(']', start);
  if (bracket === -1) throw new ValueError('a bracket in the connection string is not closed');
  const address = text.slice(start + 1, bracket);
  if (address === '') throw new ValueError('there is no address between the brackets');
  const end = bracket + 1;
  if (endBefore(text, ':/?,', end) !== end) {
    throw new ValueError('only a port, a database or another host may follow the brackets');
  }
  return { text: address, end };
}

/** `conninfo_uri_parse_params` forgives an `&` at the very end, and no other empty parameter. */
function storeQuery(parameters: Map<string, string>, query: string): void {
  const pairs = query.split('&');
  if (pairs.at(-1) === '') pairs.pop();
  for (const pair of pairs) {
    const [keyword = '', value, ...more] = pair.split('=');
    if (value === undefined) throw new ValueError('a parameter after the ? has no =');
    if (more.length > 0) throw new ValueError('a parameter after the ? has a second =; write %3D');
    const decodedKeyword = decode(keyword);
    // Even a badly encoded password is a password.
    if (decodedKeyword === 'password') refusePassword(value);
    storeParameter(parameters, decodedKeyword, decode(value));
  }
}

/**
 * Decodes `%41` and nothing else, as `conninfo_uri_decode` does. A bare blank is part of the value
 * up to libpq 17; 18 drops it at either end and refuses it in between. So none is read here.
 */
function decode(text: string): string {
  if (text.includes(' ')) throw new ValueError('write a blank in the connection string as %20');
  if (text.includes('%00')) throw new ValueError('%00 cannot stand in a connection string');
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError(
      'a % in the connection string is not followed by two hex digits of UTF-8 text; write % itself as %25',
    );
  }
}

/** The position of the first of some characters, or the end of the text. */
function endBefore(text: string, characters: string, start: number): number {
  let end = start;
  while (end < text.length && !characters.includes(text.charAt(end))) end += 1;
  return end;
}

/** A part of the string, and where the next one begins. */
interface Taken {
  readonly text: string;
  readonly end: number;
}

/**
 * Reads `host=… user='…'` as `conninfo_parse` in fe-connect.c does: blanks may stand around `=`, a
 * value runs up to a blank or stands between single quotes, and a backslash escapes any character.
 * So `host= user=me` has a host called `user=me`, and none is needed after a closing quote.
 */
function parsePairs(text: string): ConnectionParameters {
  const parameters = new Map<string, string>();
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const keyword = takeKeyword(text, at);
    const value = takeValue(text, skipBlanks(text, keyword.end));
    storeParameter(parameters, keyword.text, value.text);
    at = skipBlanks(text, value.end);
  }
  return parameters;
}

/** The keyword that starts here, with its `=`. */
function takeKeyword(text: string, start: number): Taken {
  const end = skipWhile(text, start, (character) => character !== '=' && !isBlank(character));
  const equals = skipBlanks(text, end);
  if (text[equals] !== '=') {
    throw new ValueError('a keyword of the connection string has no = after it');
  }
  return { text: text.slice(start, end), end: equals + 1 };
}

function takeValue(text: string, start: number): Taken {
  if (text[start] !== "'") {
    const end = skipEscaped(text, start, isBlank);
    return { text: unescapeValue(text.slice(start, end)), end };
  }
  const end = skipEscaped(text, start + 1, (character) => character === "'");
  if (end === text.length) {
    throw new ValueError('a quote in the connection string is not closed');
  }
  return { text: unescapeValue(text.slice(start + 1, end)), end: end + 1 };
}

/** The position of the first character that ends a value and has no backslash before it. */
function skipEscaped(text: string, start: number, ends: (character: string) => boolean): number {
  let at = start;
  while (at < text.length && !ends(text.charAt(at))) at += text[at] === '\\' ? 2 : 1;
  return Math.min(at, text.length);
}

/** Unlike in a passfile, a backslash at the very end is dropped. */
function unescapeValue(text: string): string {
  return text.replaceAll(/\\(.?)/gsu, '$1');
}

function skipBlanks(text: string, start: number): number {
  return skipWhile(text, start, isBlank);
}

function skipWhile(text: string, start: number, holds: (character: string) => boolean): number {
  let at = start;
  while (at < text.length && holds(text.charAt(at))) at += 1;
  return at;
}

/** The characters of C's `isspace`; JavaScript's `\s` matches more. */
const BLANKS = new Set(' \t\n\v\f\r');

function isBlank(character: string): boolean {
  return BLANKS.has(character);
}
