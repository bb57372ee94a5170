import type { Address } from '../support/network.ts';
import { type Argv, splitCommandLine } from '../token-command/split.ts';

/** What is wrong with the text of a setting, and what is expected; the text itself is not repeated. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

/**
 * Kubernetes leaves `$(NAME)` as it is when no variable NAME stands before it in `env`:
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
const REFERENCE = /\$\([A-Za-z_][\w.-]{0,63}\)/;

/** @throws ValueError when the text still holds a reference to a variable */
export function refuseReference(text: string): void {
  const [reference] = REFERENCE.exec(text) ?? [];
  if (reference === undefined) return;
  throw new ValueError(
    `${reference} was not replaced: Kubernetes knows no such variable here; define it in env, above the one that uses it`,
  );
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
  return url;
}

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
