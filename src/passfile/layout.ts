import { LONGEST_TOKEN } from '../support/access-token.ts';
import { errorOf, type Failure, failure } from '../support/errors.ts';
import { readRegularFile, UnusableFile } from '../support/files.ts';
import { decodeJwtClaims, type JwtClaims, numericDateMs } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import {
  type Entry,
  escapeText,
  formatEntry,
  formatPassfile,
  hasTooManyLines,
  LARGEST_PASSFILE_BYTES,
  MOST_PASSFILE_LINES,
  PLACEHOLDER,
  parseLine,
  passwordSpan,
  rawLines,
  unescapeText,
} from './format.ts';

/** Room for the fields, and for a token with each character escaped: a longer line is not ours. */
const LONGEST_LINE_BYTES = 4 * LONGEST_TOKEN;

/** What a passfile looks like around its token. */
export interface PassfileLayout {
  /** The whole file with `password` in its place. */
  render(password: string): Buffer;
  /** The password in a file of this layout; `undefined` when it is not exactly what `render` makes. */
  passwordIn(content: Buffer): string | undefined;
  /** The number of lines that hold the password. */
  readonly managedLines: number;
  /** Whether the line belongs to this layout: its four fields are those of a managed line, or it equals another line. */
  has(line: NamedLine): boolean;
}

/** A line of a passfile without its line break; one character per byte. */
interface NamedLine {
  readonly text: string;
  /** The four fields in the spelling of `formatEntry`, if the line has them. */
  readonly name: string | undefined;
}

/** One character per byte, so that bytes that are not UTF-8 survive. */
export const BYTES = 'latin1';

/** One line per entry, in the given order, and nothing else. */
export function entriesLayout(entries: readonly Entry[]): PassfileLayout {
  const render = (password: string) => Buffer.from(formatPassfile(entries, password));
  const names = new Set(entries.map((entry) => Buffer.from(formatEntry(entry)).toString(BYTES)));
  return {
    render,
    managedLines: entries.length,
    has: ({ name }) => name !== undefined && names.has(name),
    passwordIn(content) {
      const [firstLine = ''] = content.toString('utf8', 0, LONGEST_LINE_BYTES).split('\n', 1);
      const password = parseLine(firstLine)?.password;
      if (password === undefined || password.length > LONGEST_TOKEN) return undefined;
      return render(password).equals(content) ? password : undefined;
    },
  };
}

/** A token with a backslash before each character. */
const LONGEST_ESCAPED_TOKEN = 2 * LONGEST_TOKEN;

/**
 * The layout of a template: an ordinary passfile whose managed lines have the password `${token}`.
 * Everything else stays byte for byte. `undefined` when no line is managed.
 */
export function templateLayout(template: Buffer): PassfileLayout | undefined {
  const text = template.toString(BYTES);
  const literals = splitAtPlaceholders(text);
  if (literals.length === 1) return undefined;
  const [head = ''] = literals;
  const render = (password: string) => Buffer.from(literals.join(escapeText(password)), BYTES);
  const { names, others } = linesOf(text);
  return {
    render,
    managedLines: literals.length - 1,
    has: (line) => others.has(line.text) || (line.name !== undefined && names.has(line.name)),
    passwordIn(content) {
      const end = head.length + LONGEST_ESCAPED_TOKEN;
      const rest = content.toString(BYTES, head.length, end + 1);
      const [escaped = ''] = /^(?:\\.|[^\\:\r\n])*/.exec(rest) ?? [];
      if (escaped.length > LONGEST_ESCAPED_TOKEN) return undefined;
      const password = unescapeText(escaped);
      return render(password).equals(content) ? password : undefined;
    },
  };
}

/** The text around the managed passwords: one piece more than there are passwords. */
function splitAtPlaceholders(text: string): string[] {
  const literals: string[] = [];
  let done = 0;
  let at = text.indexOf(PLACEHOLDER);
  while (at >= 0) {
    const start = text.lastIndexOf('\n', at) + 1;
    const end = text.indexOf('\n', at) + 1 || text.length;
    const line = text.slice(start, end);
    const span = passwordSpan(line);
    if (span !== undefined && line.slice(span.start, span.end) === PLACEHOLDER) {
      literals.push(text.slice(done, start + span.start));
      done = start + span.end;
    }
    at = text.indexOf(PLACEHOLDER, end);
  }
  return [...literals, text.slice(done)];
}

/** The fields of the managed lines, and the complete other lines. */
function linesOf(text: string) {
  const names = new Set<string>();
  const others = new Set<string>();
  for (const { text: line } of rawLines(text)) {
    const span = passwordSpan(line);
    const managed = span !== undefined && line.slice(span.start, span.end) === PLACEHOLDER;
    const parsed = managed ? parseLine(line) : undefined;
    if (parsed === undefined) others.add(line);
    else names.add(formatEntry(parsed.entry));
  }
  return { names, others };
}

/** Far more than any passfile needs: a larger file is the wrong file. */
const LARGEST_TEMPLATE_BYTES = 1024 * 1024;

const TOKEN_LINE = `a line such as host:5432:*:user:${PLACEHOLDER}`;

export const templateUnreadable = failure<'path' | 'problem'>(
  'template-unreadable',
  'config.invalid',
  ({ path, problem }) => ({
    found: `--template ${path} ${problem}`,
    remedy: `Name a file that pgpassd can read, of at most ${LARGEST_TEMPLATE_BYTES / 1024} KiB, with ${TOKEN_LINE}.`,
  }),
);

export const templateWithoutToken = failure<'path'>(
  'template-without-token',
  'config.invalid',
  ({ path }) => ({
    found: `--template ${path} has no line whose password is ${PLACEHOLDER}`,
    remedy: `Name a passfile that has ${TOKEN_LINE}.`,
  }),
);

export const templateMisspelt = failure<'path' | 'line' | 'password'>(
  'template-misspelt',
  'config.invalid',
  ({ path, line, password }) => ({
    found: `line ${line} of --template ${path} has the password ${password}, which clients would send as it is`,
    remedy: `Write exactly ${PLACEHOLDER} there.`,
  }),
);

export const templateEmptied = failure<'path' | 'line'>(
  'template-emptied',
  'config.invalid',
  ({ path, line }) => ({
    found: `no line of --template ${path} has the password ${PLACEHOLDER}, and that of line ${line} is empty`,
    remedy: `Keep what processes the file from replacing ${PLACEHOLDER} by nothing: for Flux write $${PLACEHOLDER}; for envsubst name the variables that it may replace, as in envsubst '$DB_HOST'.`,
  }),
);

/**
 * The bytes of the template, all read through one open.
 *
 * @throws PgpassdError `config.invalid`
 */
export async function readTemplate(path: string): Promise<Buffer> {
  return readRegularFile(path, LARGEST_TEMPLATE_BYTES).catch((error: unknown) => {
    if (!(error instanceof UnusableFile)) throw error;
    throw errorOf(templateUnreadable({ path, problem: error.message }), { cause: error });
  });
}

/**
 * The layout that a template's bytes describe.
 *
 * @throws PgpassdError `config.invalid` when no line is managed, or a placeholder is misspelt
 */
export function layoutOf(template: Buffer, path: string): PassfileLayout {
  const layout = templateLayout(template);
  const objection = objectionTo(template.toString(BYTES), path, layout !== undefined);
  if (objection !== undefined) throw errorOf(objection);
  if (layout === undefined) throw errorOf(templateWithoutToken({ path }));
  return layout;
}

/** What was meant to be `PLACEHOLDER`, at the end of a line that is no comment. */
const MISSPELT =
  /^[^#\n][^\n]*:(?!\$\{token\}\r*$)(\$*[({]{1,2} {0,3}(?:token|TOKEN|Token) {0,3}[)}]{1,2}|\$(?:token|TOKEN))\r*$/m;

/** A line that is no comment, and whose last field is empty. */
const EMPTY_PASSWORD = /^[^#\n][^\n]*:\r*$/m;

function objectionTo(text: string, path: string, isManaged: boolean): Failure | undefined {
  const misspelt = MISSPELT.exec(text);
  if (misspelt !== null) {
    const [, password = ''] = misspelt;
    return templateMisspelt({ path, line: lineAt(text, misspelt.index), password });
  }
  const emptied = isManaged ? null : EMPTY_PASSWORD.exec(text);
  return emptied === null
    ? undefined
    : templateEmptied({ path, line: lineAt(text, emptied.index) });
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** What the layout is made of. */
interface LayoutSettings {
  readonly entries: readonly Entry[];
  /** The path of a template, which replaces the entries. */
  readonly template: string | undefined;
}

/** @throws PgpassdError `config.invalid` when the template cannot be used */
export async function layoutFor({ entries, template }: LayoutSettings): Promise<PassfileLayout> {
  return template === undefined
    ? entriesLayout(entries)
    : layoutOf(await readTemplate(template), template);
}

const USE_FEWER_LINES =
  'Use fewer lines in --entry (PGPASSD_ENTRIES) or --template: * stands for any port or database.';

export const passfileWouldBeTooLarge = failure<
  'path' | 'sizeKiB' | 'tokenBytes' | 'lines' | 'limitKiB'
>(
  'passfile-would-be-too-large',
  'config.invalid',
  ({ path, sizeKiB, tokenBytes, lines, limitKiB }) => ({
    found: `the passfile ${path} would have ${sizeKiB} KiB with a token of ${tokenBytes} bytes in each of the ${lines} lines that hold the token, but the limit is ${limitKiB} KiB`,
    remedy: USE_FEWER_LINES,
  }),
);

export const passfileWouldHaveTooManyLines = failure<'path' | 'most'>(
  'passfile-would-have-too-many-lines',
  'config.invalid',
  ({ path, most }) => ({
    found: `the passfile ${path} would have more than ${most} lines, which is the limit`,
    remedy: USE_FEWER_LINES,
  }),
);

/** Smaller than any JWT that Entra issues: an RSA signature alone has 342 characters. */
const SMALL_TOKEN_BYTES = 512;

/**
 * Checks that a passfile of this layout is small enough to be read again, with `password` or, while there is
 * none, with a small token.
 *
 * @throws PgpassdError `config.invalid`
 */
export function assertSize(layout: PassfileLayout, path: string, password?: string): void {
  const objection = objectionToSize(layout, path, password);
  if (objection !== undefined) throw errorOf(objection);
}

/** Why a passfile of this layout is too large to be read again; `undefined` when it is not. */
export function objectionToSize(
  layout: PassfileLayout,
  path: string,
  password?: string,
): Failure | undefined {
  const without = layout.render('');
  const tokenBytes =
    password === undefined ? SMALL_TOKEN_BYTES : Buffer.byteLength(escapeText(password));
  // Computed, not rendered: ten thousand lines with a long token do not fit into memory either.
  const sizeBytes = without.length + layout.managedLines * tokenBytes;
  if (sizeBytes > LARGEST_PASSFILE_BYTES) {
    return passfileWouldBeTooLarge({
      path,
      sizeKiB: Math.ceil(sizeBytes / 1024),
      tokenBytes,
      lines: layout.managedLines,
      limitKiB: LARGEST_PASSFILE_BYTES / 1024,
    });
  }
  return hasTooManyLines(without.toString(BYTES))
    ? passfileWouldHaveTooManyLines({ path, most: MOST_PASSFILE_LINES })
    : undefined;
}

/** A token found in a passfile whose lines are exactly ours. */
export interface AdoptedToken {
  readonly token: Secret;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * The token of a passfile that an earlier run left in place; `undefined` when the content is not
 * byte for byte what we would write, or when its token does not state its life or is not one that we
 * would request.
 *
 * Entra backdates tokens by some minutes, so the token's life starts when the file was written, if that
 * is later: otherwise a new short-lived token would seem half used up.
 */
export function adoptToken(
  content: Buffer,
  writtenAtMs: number,
  layout: PassfileLayout,
  isOurs: (claims: JwtClaims) => boolean,
): AdoptedToken | undefined {
  const password = layout.passwordIn(content);
  if (password === undefined) return undefined;
  const claims = decodeJwtClaims(password);
  if (claims === undefined || !isOurs(claims)) return undefined;
  const expiresAtMs = numericDateMs(claims, 'exp');
  const issuedAtMs = numericDateMs(claims, 'iat');
  if (expiresAtMs === undefined || issuedAtMs === undefined) return undefined;
  return {
    token: new Secret(password),
    issuedAtMs: Math.max(issuedAtMs, writtenAtMs),
    expiresAtMs,
  };
}
