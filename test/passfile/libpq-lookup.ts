/** What a client connects to; libpq compares it with the lines of the passfile. */
export interface Connection {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
}

const NUL = 0;
const LF = 0x0a;
const CR = 0x0d;
const HASH = 0x23;
const STAR = 0x2a;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** PostgreSQL's compiled-in default on Debian and in the official image. */
const DEFAULT_SOCKET_DIRECTORY = '/var/run/postgresql';

/**
 * The password that libpq finds, byte by byte as `passwordFromFile` of fe-connect.c does it
 * since PostgreSQL 13; written after the C code, and deliberately without any of our code.
 */
export function libpqLookup(passfile: string, connection: Connection): string | undefined {
  const { database, user } = connection;
  if (database === '' || user === '') return undefined;
  const { host } = connection;
  const keys = [
    host === '' || host === DEFAULT_SOCKET_DIRECTORY ? 'localhost' : host,
    connection.port === '' ? '5432' : connection.port,
    database,
    user,
  ];
  for (const line of linesOf(Buffer.from(passfile))) {
    if (line[0] === HASH) continue;
    const stripped = stripLineEnd(line);
    if (stripped.length === 0) continue;
    let rest: Buffer | undefined = cString(stripped);
    for (const key of keys) rest = pwdfMatchesString(rest, Buffer.from(key));
    if (rest !== undefined) return unescapePassword(rest);
  }
  return undefined;
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(LF, start);
    const next = end === -1 ? bytes.length : end + 1;
    yield bytes.subarray(start, next);
    start = next;
  }
}

/** `pg_strip_crlf`. */
function stripLineEnd(line: Buffer): Buffer {
  let length = line.length;
  while (length > 0 && (line[length - 1] === LF || line[length - 1] === CR)) length -= 1;
  return line.subarray(0, length);
}

/** C sees a string end at its first NUL. */
function cString(line: Buffer): Buffer {
  const end = line.indexOf(NUL);
  return end === -1 ? line : line.subarray(0, end);
}

function pwdfMatchesString(buffer: Buffer | undefined, token: Buffer): Buffer | undefined {
  if (buffer === undefined) return undefined;
  if (buffer[0] === STAR && buffer[1] === COLON) return buffer.subarray(2);
  let at = 0;
  let tokenAt = 0;
  while (at < buffer.length) {
    if (buffer[at] === COLON && tokenAt === token.length) return buffer.subarray(at + 1);
    if (buffer[at] === BACKSLASH) at += 1;
    if (tokenAt === token.length) return undefined;
    if (buffer[at] !== token[tokenAt]) return undefined;
    at += 1;
    tokenAt += 1;
  }
  return undefined;
}

function unescapePassword(rest: Buffer): string {
  const password: number[] = [];
  for (let at = 0; at < rest.length && rest[at] !== COLON; at += 1) {
    if (rest[at] === BACKSLASH && at + 1 < rest.length) at += 1;
    password.push(rest[at] ?? NUL);
  }
  return Buffer.from(password).toString('utf8');
}
