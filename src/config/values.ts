import type { Address } from '../support/network.ts';
import { type Argv, splitCommandLine } from '../token-command/split.ts';

/** What is wrong with the text of a setting, and what is expected; the text itself is not repeated. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

/** What is left in a text where something should have been replaced by a value, and how that happens. */
const placeholders = [
  // https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
  [
    /\$\([A-Za-z_][\w.-]{0,63}\)/,
    'Kubernetes knows no such variable here; define it in env, above the one that uses it',
  ],
  [
    /\$\{[A-Za-z_][\w.-]{0,63}\}/,
    'there is no shell here that would do that; in the env of a pod write $(NAME), and define NAME above it',
  ],
  [
    /\{\{[ -]{0,9}[\w.]{0,64}/,
    'apply the manifest through the tool that it was written for, such as Helm',
  ],
  [/<(?:nil|no value)>/, 'a Helm chart writes this where a value is not set; set that value'],
  // As in the connection strings of Azure's portal.
  [/\{your[_-]\w{1,64}\}/, 'write your own value there'],
] as const;

/** @throws ValueError when something in the text was not replaced */
export function refusePlaceholder(text: string): void {
  for (const [placeholder, remedy] of placeholders) {
    const [found] = placeholder.exec(text) ?? [];
    if (found !== undefined) throw new ValueError(`${found} was not replaced: ${remedy}`);
  }
}

/** @throws ValueError when an env file, which has no quotes, was written as for a shell */
export function refuseQuotes(text: string): void {
  if (/^(["']).*\1$/s.test(text)) {
    throw new ValueError('remove the quotes around it: they are part of the value here');
  }
}

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** `90s`, `5m`, `1h30m`: hours, minutes and seconds in this order, each at most once. */
export function parseDurationMs(text: string): number {
  const [, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  const durationMs =
    Number(hours ?? 0) * UNIT_MS.h +
    Number(minutes ?? 0) * UNIT_MS.m +
    Number(seconds ?? 0) * UNIT_MS.s;
  if (durationMs <= 0 || !Number.isSafeInteger(durationMs)) {
    throw new ValueError('write a duration such as 90s, 5m or 1h30m');
  }
  return durationMs;
}

export function parseFraction(text: string): number {
  const fraction = /^(?:\d+|\d*\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (!(fraction > 0 && fraction < 1))
    throw new ValueError('write a number between 0 and 1, such as 0.5');
  return fraction;
}

/** libpq ignores a passfile with any group or world bit, and we have to read our own. */
export function parseMode(text: string): 0o600 | 0o400 {
  if (!/^0?[46]00$/.test(text)) {
    throw new ValueError('write 0600 or 0400; libpq ignores a passfile that others may read');
  }
  return Number.parseInt(text, 8) === 0o400 ? 0o400 : 0o600;
}

/** The one above means "leave as it is" to chown(2). */
const LARGEST_ID = 2 ** 32 - 2;

export interface NumericOwner {
  readonly uid: number;
  readonly gid: number | undefined;
}

export function parseOwner(text: string): NumericOwner {
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (uid === undefined || Number(uid) > LARGEST_ID || Number(gid ?? 0) > LARGEST_ID)
    throw new ValueError('write numeric IDs, UID or UID:GID, such as 1000:1000');
  return { uid: Number(uid), gid: gid === undefined ? undefined : Number(gid) };
}

/** A tenant is a GUID or a domain name; anything else could change the path of the token endpoint. */
export function parseTenantId(text: string): string {
  if (!/^[\da-z-]+(?:\.[\da-z-]+)*$/i.test(text)) {
    throw new ValueError('write the tenant ID, a GUID, or a verified domain of the tenant');
  }
  return text;
}

/** A client id is a GUID; of other characters only those of names are let through, as stand-ins for Entra have them. */
export function parseClientId(text: string): string {
  if (text.startsWith('/')) {
    throw new ValueError('write the client ID of the identity, a GUID, not its resource ID');
  }
  const [stray] = /[^\w.-]/.exec(text) ?? [];
  if (stray !== undefined) {
    throw new ValueError(`write the client ID, a GUID, without the ${nameOf(stray)} in it`);
  }
  return text;
}

const characterNames: Readonly<Record<string, string>> = {
  '\n': 'line break',
  '\r': 'line break',
  '\t': 'tab',
  ' ': 'space',
  '"': 'quote',
  "'": 'quote',
};

function nameOf(character: string): string {
  return characterNames[character] ?? 'character that no ID has';
}

/** An https URL; http is allowed only to loopback, where no one can listen in. */
export function parseSecureUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new ValueError('write a URL such as https://login.microsoftonline.com/');
  if (url.username !== '' || url.password !== '')
    throw new ValueError('leave user and password out of it');
  if (text.includes('#')) throw new ValueError('leave the fragment out of it');
  const allowed =
    url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (!allowed)
    throw new ValueError('use https: the client assertion must not be sent in clear text');
  return url;
}

/** The same without a query, since the path of the token endpoint is appended to it. */
export function parseAuthorityHost(text: string): URL {
  const url = parseSecureUrl(text);
  if (text.includes('?')) throw new ValueError('leave the query out of it');
  if (TENANT_IN_PATH.test(url.pathname)) {
    throw new ValueError('leave the tenant out of it: --tenant-id (AZURE_TENANT_ID) names it');
  }
  return url;
}

/** As in the endpoints that Azure's portal shows; a path before the tenant is let through. */
const TENANT_IN_PATH = /^\/(?:[\da-f]{8}-[\da-f-]{27}|common|organizations|consumers)(?:\/|$)/i;

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

/** A command line, split into words; there is no shell. */
export function parseCommand(text: string): Argv {
  const line = splitCommandLine(text);
  if ('problem' in line) throw new ValueError(line.problem);
  return line.argv;
}

/** `NAME=VALUE`; the value is taken as it is. */
export function parseFormField(text: string): readonly [name: string, value: string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new ValueError('write NAME=VALUE');
  return [name, value];
}

/** The numeric ID of a user. */
export function parseUid(text: string): number {
  const { uid, gid } = parseOwner(text);
  if (gid !== undefined) throw new ValueError('write a numeric user ID such as 1000');
  return uid;
}

/** `HOST:PORT` with an IPv6 address in brackets, or `off`. */
export function parseHttpAddress(text: string): Address | 'off' {
  if (text === 'off') return 'off';
  const [, bracketed, host = bracketed, port] =
    /^(?:\[([\da-f:.]+)\]|([\w.-]*)):(\d{1,5})$/i.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new ValueError('write HOST:PORT such as 0.0.0.0:8432 or [::1]:8432, or off');
  }
  return { host, port: Number(port) };
}

export function parseText(text: string): string {
  return text;
}

/** One of the given words. */
export function parseWord<const W extends string>(...words: readonly W[]): (text: string) => W {
  return (text) => {
    const word = words.find((each) => each === text);
    if (word === undefined) throw new ValueError(`write one of ${words.join(', ')}`);
    return word;
  };
}

export function parseSwitch(text: string): boolean {
  return parseWord('true', 'false')(text) === 'true';
}
