import { LONGEST_TOKEN } from '../support/access-token.ts';
import { decodeJwtClaims, type JwtClaims, numericDateMs } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import { finish, type Steps } from '../support/steps.ts';
import { type Entry, parseLine } from './format.ts';
import { rawLines } from './raw-lines.ts';
import { PLACEHOLDER } from './template.ts';

/** What libpq compares, in the order of the line. */
export const fieldNames = ['host', 'port', 'database', 'user'] as const;

export type FieldName = (typeof fieldNames)[number];

/** One line of a passfile; numbers count from 1. */
export type Line = EntryLine | SkippedLine;

export interface EntryLine {
  readonly kind: 'entry';
  readonly number: number;
  readonly entry: Entry;
  readonly password: Secret;
  readonly facts: PasswordFacts;
  readonly oddities: readonly Oddity[];
}

/** A line that libpq passes over whatever it looks for. */
interface SkippedLine {
  /** `malformed`: fewer than five fields. */
  readonly kind: 'comment' | 'blank' | 'malformed';
  readonly number: number;
}

/** What can be told of a password without telling it. */
interface PasswordFacts {
  /**
   * `cut`: the beginning of a JWT. `opaque`: a static password, or a token of a kind that tells nothing.
   */
  readonly kind: 'jwt' | 'cut' | 'opaque' | 'empty' | 'placeholder';
  readonly claims: JwtClaims | undefined;
  readonly expiresAtMs: number | undefined;
}

/** What libpq takes literally though hardly anybody means it. */
type Oddity =
  | { readonly kind: 'byte-order-mark' }
  | { readonly kind: 'blanks'; readonly field: FieldName | 'password' }
  /** libpq never looks for nothing: it has a default for each. */
  | { readonly kind: 'empty'; readonly field: FieldName };

/**
 * The lines of a passfile as libpq reads them (`passwordFromFile` in fe-connect.c): ended by `\n`
 * with any `\r` before it, the last one perhaps not ended. A line with a NUL, which C takes for the
 * end of a string, counts as malformed. Bytes that are no UTF-8 have to be U+FFFD.
 */
export function parseLines(content: string): readonly Line[] {
  return finish(parseInSteps(content));
}

/** The same, with a pause now and then. */
export function* parseInSteps(content: string): Steps<readonly Line[]> {
  const lines: Line[] = [];
  for (const { text, number, pause } of rawLines(content)) {
    lines.push(interpretLine(text, number));
    if (pause) yield;
  }
  return lines;
}

/** The lines that libpq compares. */
export function entryLinesOf(lines: readonly Line[]): readonly EntryLine[] {
  return lines.filter((line) => line.kind === 'entry');
}

function interpretLine(line: string, number: number): Line {
  if (line.startsWith('#')) return { kind: 'comment', number };
  if (/^[ \t]*$/.test(line)) return { kind: 'blank', number };
  const parsed = line.includes('\0') ? undefined : parseLine(line);
  if (parsed === undefined) return { kind: 'malformed', number };
  const { entry, password } = parsed;
  return {
    kind: 'entry',
    number,
    entry,
    password: new Secret(password),
    facts: passwordFacts(password),
    oddities: [...odditiesOf(entry), ...blanksAround('password', password)],
  };
}

function passwordFacts(password: string): PasswordFacts {
  if (password.length > LONGEST_TOKEN) {
    return { kind: 'opaque', claims: undefined, expiresAtMs: undefined };
  }
  const claims = decodeJwtClaims(password);
  return {
    kind: claims === undefined ? kindOf(password) : 'jwt',
    claims,
    expiresAtMs: claims && numericDateMs(claims, 'exp'),
  };
}

/** The header of every JWT begins so (`{"` in base64url), and two parts follow it. */
const CUT_JWT = /^eyJ[\w-]*(?:\.[\w-]*\.?)?$/;

function kindOf(password: string): Exclude<PasswordFacts['kind'], 'jwt'> {
  if (password === '') return 'empty';
  if (password === PLACEHOLDER) return 'placeholder';
  return CUT_JWT.test(password) ? 'cut' : 'opaque';
}

const BYTE_ORDER_MARK = '\ufeff';

function odditiesOf(entry: Entry): Oddity[] {
  const ofFields = fieldNames.flatMap((field): Oddity[] => {
    const text = entry[field];
    return text === '' ? [{ kind: 'empty', field }] : blanksAround(field, text ?? '');
  });
  const marked = entry.host?.startsWith(BYTE_ORDER_MARK);
  return marked ? [{ kind: 'byte-order-mark' }, ...ofFields] : ofFields;
}

function blanksAround(field: FieldName | 'password', text: string): Oddity[] {
  return /^[ \t]|[ \t]$/.test(text) ? [{ kind: 'blanks', field }] : [];
}
