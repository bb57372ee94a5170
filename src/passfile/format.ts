/** A field that matches anything; libpq's `*`, which as a literal is something else. */
export const ANY = null;

export type Field = string | typeof ANY;

/** Far above any passfile: a larger file is another one. What is written keeps to it as well. */
export const LARGEST_PASSFILE_BYTES = 4 * 1024 * 1024;

/** The same for its lines: the memory to read it takes is a matter of their number. */
export const MOST_PASSFILE_LINES = 100_000;

/** Whom a password is for: the first four fields of a passfile line. */
export interface Entry {
  readonly host: Field;
  readonly port: Field;
  readonly database: Field;
  readonly user: Field;
}

/** What libpq looks up for one server. No field is empty: libpq fills in its defaults first. */
export type Connection = Readonly<Record<keyof Entry, string>>;

export interface PassfileLine {
  readonly entry: Entry;
  readonly password: string;
}

/**
 * One line, without its end, as libpq reads it (`passwordFromFile` in fe-connect.c): `\` escapes any
 * character; a field is a wildcard only when it is exactly `*`; a line whose first byte is `#` is a
 * comment. Fields hold no line breaks and no NUL: a line cannot say them.
 */
export function formatLine({ entry, password }: PassfileLine): string {
  return `${formatEntry(entry)}:${escapeText(password)}`;
}

/** A line without its password, as `--entry` takes it. */
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

/** The whole passfile: one line an entry, in the given order, since libpq takes the first that matches. */
export function formatPassfile(entries: readonly Entry[], password: string): string {
  return entries.map((entry) => `${formatLine({ entry, password })}\n`).join('');
}

/**
 * One line without its end, or `undefined` for a comment or a line of fewer than five fields, which
 * libpq skips. As in libpq the password ends at the next unescaped colon.
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

/** Splits at colons that no backslash escapes; the escapes stay. What follows `most` fields is left out. */
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

/** A backslash at the very end stands for itself, as in libpq. */
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
