import {
  type ConnectionParameters,
  refusePassword,
  storeParameter,
} from './conninfo-parameters.ts';
import { ValueError } from './values.ts';

const PREFIXES = ['postgresql://', 'postgres://'];

export function isUri(text: string): boolean {
  return PREFIXES.some((prefix) => text.startsWith(prefix));
}

/**
 * Reads `postgresql://user@host:port,host:port/dbname?keyword=value` as `conninfo_uri_parse_options`
 * in fe-connect.c does. It is no URI of RFC 3986: there may be several hosts, or none, and neither
 * `#` nor `+` means anything. The parameters behind `?` replace what stands before it.
 *
 * libpq refuses keywords it does not know. Here they are ignored: they are other drivers', such as
 * `pgbouncer=true`, and say nothing about whom the password is for.
 */
export function parseUri(uri: string): ConnectionParameters {
  const parameters = new Map<string, string>();
  // What is empty is not said; an empty parameter behind `?` says that it is empty.
  const store = (keyword: string, encoded: string): void => {
    if (encoded !== '') storeParameter(parameters, keyword, decode(encoded));
  };
  const { user, address } = splitUser(uri.slice(uri.indexOf('//') + 2));
  const { hosts, ports, rest } = takeHosts(address);
  const databaseEnd = endBefore(rest, '?', 0);
  store('user', user);
  // libpq decodes the whole list and splits it later, so that an encoded comma separates as well.
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

/** A name or an address, as it is spelled; brackets around an IPv6 address are left out. */
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
    if (value === undefined) throw new ValueError('a parameter behind the ? has no =');
    if (more.length > 0) throw new ValueError('a parameter behind the ? has a second =; write %3D');
    const decodedKeyword = decode(keyword);
    // A password that is not well encoded is a password all the same.
    if (decodedKeyword === 'password') refusePassword(value);
    storeParameter(parameters, decodedKeyword, decode(value));
  }
}

/**
 * Decodes `%41` and nothing else, as `conninfo_uri_decode` does. A bare blank is part of the value
 * up to libpq 17; 18 drops it at either end and refuses it in between. So none is read here.
 */
function decode(text: string): string {
  if (text.includes(' ')) throw new ValueError('a blank in the connection string is written %20');
  if (text.includes('%00')) throw new ValueError('%00 cannot stand in a connection string');
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError(
      'a % in the connection string is not followed by two hex digits of UTF-8 text; % itself is written %25',
    );
  }
}

/** Where the first of some characters stands, or the end of the text. */
function endBefore(text: string, characters: string, start: number): number {
  let end = start;
  while (end < text.length && !characters.includes(text.charAt(end))) end += 1;
  return end;
}
