import type { Steps } from '../support/clock.ts';
import { Secret } from '../support/secret.ts';

/** A field that matches anything: an unescaped `*` in libpq's format, while `\*` is a literal asterisk. */
export const ANY = null;

export type Field = string | typeof ANY;

/** Far more than any passfile needs: a larger file is a different file. Writing keeps to this limit as well. */
export const LARGEST_PASSFILE_BYTES = 4 * 1024 * 1024;

/** The same for its lines, whose number determines the memory that reading takes. */
export const MOST_PASSFILE_LINES = 100_000;

/** The password of a line in a template that is to hold the token. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own syntax
export const PLACEHOLDER = '${token}';

/** What a password is for: the first four fields of a passfile line. */
export interface Entry {
  readonly host: Field;
  readonly port: Field;
  readonly database: Field;
  readonly user: Field;
}

/** What libpq looks up for one server. No field is empty, since libpq fills in its defaults first. */
export type LookupTarget = Readonly<Record<keyof Entry, string>>;

export interface PassfileLine {
  readonly entry: Entry;
  readonly password: string;
}

/**
 * One line, without its line break, as libpq reads it (`passwordFromFile` in fe-connect.c): `\` escapes any
 * character; a field is a wildcard only when it is exactly `*`; a line whose first byte is `#` is a
 * comment. Fields must hold no line break and no NUL, which a line cannot express.
 */
export function formatLine({ entry, password }: PassfileLine): string {
  return `${formatEntry(entry)}:${escapeText(password)}`;
}

/** The four fields of a line, in the form that `--entry` takes. */
export function formatEntry({ host, port, database, user }: Entry): string {
  const fields = [host, port, database, user].map(formatField).join(':');
  return fields.startsWith('#') ? `\\${fields}` : fields;
}

function formatField(field: Field): string {
  if (field === ANY) return '*';
  return field === '*' ? '\\*' : escapeText(field);
}

export function escapeText(text: string): string {
  return text.replaceAll(/[\\:]/g, '\\$&');
}

/** The whole passfile: one line per entry, in the given order, since libpq uses the first line that matches. */
export function formatPassfile(entries: readonly Entry[], password: string): string {
  return entries.map((entry) => `${formatLine({ entry, password })}\n`).join('');
}

/**
 * Parses one line without its line break; `undefined` for a comment or a line of fewer than five fields,
 * which libpq skips. As in libpq, the password ends at the next unescaped colon.
 */
export function parseLine(line: string): PassfileLine | undefined {
  if (line.startsWith('#')) return undefined;
  const [host, port, database, user, password] = splitFields(line, 5);
  if (
    host === undefined ||
    port === undefined ||
    database === undefined ||
    user === undefined ||
    password === undefined
  ) {
    return undefined;
  }
  return {
    entry: {
      host: parseField(host),
      port: parseField(port),
      database: parseField(database),
      user: parseField(user),
    },
    password: unescapeText(password),
  };
}

/** Where the password of a raw line begins and ends, or `undefined` where `parseLine` finds none. */
export function passwordSpan(line: string): { start: number; end: number } | undefined {
  if (line.startsWith('#')) return undefined;
  // Without the lookbehind, a line full of carriage returns would take quadratic time.
  const fields = splitFields(line.replace(/(?<![\r\n])[\r\n]+$/, ''), 5);
  const password = fields[4];
  if (password === undefined) return undefined;
  const start = fields.slice(0, 4).reduce((sum, field) => sum + field.length + 1, 0);
  return { start, end: start + password.length };
}

const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Splits at unescaped colons and keeps the escapes. Omits what follows the first `most` fields. */
export function splitFields(line: string, most = Number.POSITIVE_INFINITY): string[] {
  const fields: string[] = [];
  let start = 0;
  for (let at = 0; at < line.length && fields.length < most; at += 1) {
    const code = line.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    if (code !== COLON) continue;
    fields.push(line.slice(start, at));
    start = at + 1;
  }
  if (fields.length < most) fields.push(line.slice(start));
  return fields;
}

export function parseField(field: string): Field {
  return field === '*' ? ANY : unescapeText(field);
}

/** As in libpq, a backslash at the very end is a literal one. */
export function unescapeText(text: string): string {
  if (!text.includes('\\')) return text;
  const units = Buffer.from(text, 'utf16le');
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) === BACKSLASH && at + 1 < text.length) at += 1;
    units.writeUInt16LE(text.charCodeAt(at), length);
    length += 2;
  }
  return units.toString('utf16le', 0, length);
}

interface RawLine {
  /** Without its line break. */
  readonly text: string;
  readonly number: number;
  /** Whether this is enough for one piece of work. */
  readonly pause: boolean;
}

const PIECE_CHARACTERS = 8 * 1024;

/** The unparsed lines, separated by `\n` and any `\r` before it; the last one may lack its line break. */
export function* rawLines(content: string): Generator<RawLine, void> {
  let pausedAt = 0;
  for (let start = 0, number = 1; start < content.length; number += 1) {
    const at = content.indexOf('\n', start);
    const end = at === -1 ? content.length : at;
    const pause = end - pausedAt >= PIECE_CHARACTERS;
    if (pause) pausedAt = end;
    yield { text: stripLineEnd(content.slice(start, end)), number, pause };
    start = end + 1;
  }
}

/** Every password in a passfile, no matter which program wrote it. */
export function* passwordsIn(content: Buffer): Steps<readonly Secret[]> {
  const passwords: Secret[] = [];
  for (const { text, pause } of rawLines(content.toString('utf8'))) {
    const line = parseLine(text);
    if (line !== undefined) passwords.push(new Secret(line.password));
    if (pause) yield;
  }
  return passwords;
}

/** Whether there are more lines than any passfile needs. */
export function hasTooManyLines(content: string): boolean {
  let lines = 0;
  for (let at = content.indexOf('\n'); at !== -1; at = content.indexOf('\n', at + 1)) {
    lines += 1;
    if (lines > MOST_PASSFILE_LINES) return true;
  }
  return false;
}

/** Without the lookbehind, a line full of carriage returns would take quadratic time. */
function stripLineEnd(line: string): string {
  return line.replace(/(?<!\r)\r+$/, '');
}
