import { LONGEST_TOKEN } from '../support/access-token.ts';
import { finish, type Steps } from '../support/clock.ts';
import { decodeJwtClaims, type JwtClaims, numericDateMs } from '../support/jwt.ts';
import { Secret } from '../support/secret.ts';
import { ANY, type Entry, type LookupTarget, PLACEHOLDER, parseLine, rawLines } from './format.ts';

/** The fields that libpq compares, in the order of the line. */
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

/** A line that libpq always skips. */
interface SkippedLine {
  /** `malformed`: fewer than five fields. */
  readonly kind: 'comment' | 'blank' | 'malformed';
  readonly number: number;
}

/** What can be said about a password without revealing it. */
interface PasswordFacts {
  /**
   * `cut`: the beginning of a JWT. `opaque`: a static password, or a token that is not a JWT.
   */
  readonly kind: 'jwt' | 'cut' | 'opaque' | 'empty' | 'placeholder';
  readonly claims: JwtClaims | undefined;
  readonly expiresAtMs: number | undefined;
}

/** What libpq takes literally, though it is hardly intended. */
type Oddity =
  | { readonly kind: 'byte-order-mark' }
  | { readonly kind: 'blanks'; readonly field: FieldName | 'password' }
  /** libpq never looks up an empty value, since each field has a default. */
  | { readonly kind: 'empty'; readonly field: FieldName };

/**
 * The lines of a passfile as libpq reads them (`passwordFromFile` in fe-connect.c): separated by `\n`
 * and any `\r` before it; the last one may lack its line break. A line with a NUL, which ends a string
 * in C, counts as malformed. The caller has to replace bytes that are not UTF-8 by U+FFFD.
 */
export function parseLines(content: string): readonly Line[] {
  return finish(parseInSteps(content));
}

/** The same in steps. */
export function* parseInSteps(content: string): Steps<readonly Line[]> {
  const lines: Line[] = [];
  for (const { text, number, pause } of rawLines(content)) {
    lines.push(interpretLine(text, number));
    if (pause) yield;
  }
  return lines;
}

/** The lines that libpq compares with what it looks up. */
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

/** The header of every JWT begins like this (`{"` in base64url); two more parts follow it. */
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

/**
 * Which fields of an entry are literal, one bit each. With only sixteen combinations, a line is found
 * without scanning all lines: in each combination, the literals are the key.
 */
type Shape = number;

function shapeOf(entry: Entry): Shape {
  return fieldNames.reduce(
    (shape, name, bit) => (entry[name] === ANY ? shape : shape | (1 << bit)),
    0,
  );
}

/** The literals of `entry` in the fields of `shape`, separated by NUL, which a line cannot contain. */
function keyOf(entry: Entry, shape: Shape): string {
  return fieldNames.map((name, bit) => ((shape & (1 << bit)) === 0 ? '' : entry[name])).join('\0');
}

/** Whether every field that is literal in `shape` is literal in `other`. */
function isWithin(shape: Shape, other: Shape): boolean {
  return (shape & ~other) === 0;
}

/** Earlier lines, to find one that covers all that a later line is for. */
export class Coverage {
  /** The first line for each combination of fields. */
  readonly #lines = new Map<Shape, Map<string, EntryLine>>();

  add(line: EntryLine): void {
    const shape = shapeOf(line.entry);
    const alike = this.#lines.get(shape) ?? new Map<string, EntryLine>();
    this.#lines.set(shape, alike);
    const key = keyOf(line.entry, shape);
    if (!alike.has(key)) alike.set(key, line);
  }

  /** The first line that matches every connection that `wanted` describes. */
  covering(wanted: Entry): EntryLine | undefined {
    const wantedShape = shapeOf(wanted);
    let first: EntryLine | undefined;
    for (const [shape, lines] of this.#lines) {
      const line = isWithin(shape, wantedShape) ? lines.get(keyOf(wanted, shape)) : undefined;
      if (line !== undefined && line.number < (first?.number ?? Infinity)) first = line;
    }
    return first;
  }
}

/** The number of lines in one step. */
export const LINES_PER_STEP = 500;

type Groups = Map<Shape, Map<string, EntryLine[]>>;

/** The lines of a passfile, indexed to look up many entries. */
export class LineIndex {
  readonly #lines: readonly EntryLine[];
  /** By the shape of the entry that is looked up; without lines that repeat an earlier one. */
  readonly #groups = new Map<Shape, Groups>();

  constructor(lines: readonly EntryLine[]) {
    this.#lines = lines;
  }

  /**
   * The lines that match some of the connections that `wanted` describes, in their order. May omit
   * lines that repeat an earlier one.
   */
  *matching(wanted: Entry): Steps<readonly EntryLine[]> {
    const wantedShape = shapeOf(wanted);
    const groups = this.#groups.get(wantedShape) ?? (yield* this.#groupFor(wantedShape));
    const matching = [...groups].flatMap(([shape, lines]) => {
      const group = lines.get(keyOf(wanted, shape));
      return group === undefined ? [] : [group];
    });
    const [only = []] = matching;
    return matching.length <= 1 ? only : yield* merged(matching);
  }

  /** Groups lines by the literals in the fields that are literal in this shape as well. */
  *#groupFor(wantedShape: Shape): Steps<Groups> {
    const groups: Groups = new Map();
    const seen = new Set<string>();
    for (const [index, line] of this.#lines.entries()) {
      if (index % LINES_PER_STEP === LINES_PER_STEP - 1) yield;
      const whole = shapeOf(line.entry);
      const identity = `${whole}\0${keyOf(line.entry, whole)}`;
      if (seen.has(identity)) continue;
      seen.add(identity);
      const shape = whole & wantedShape;
      const alike = groups.get(shape) ?? new Map<string, EntryLine[]>();
      groups.set(shape, alike);
      const key = keyOf(line.entry, shape);
      const group = alike.get(key);
      if (group === undefined) alike.set(key, [line]);
      else group.push(line);
    }
    this.#groups.set(wantedShape, groups);
    return groups;
  }
}

/** Merges lists that are each in order into one list in order. */
function* merged(groups: readonly (readonly EntryLine[])[]): Steps<readonly EntryLine[]> {
  const all: EntryLine[] = [];
  const heads = groups.map((lines) => ({ lines, at: 0 }));
  for (;;) {
    let next: { line: EntryLine; head: (typeof heads)[number] } | undefined;
    for (const head of heads) {
      const line = head.lines[head.at];
      if (line !== undefined && line.number < (next?.line.number ?? Infinity))
        next = { line, head };
    }
    if (next === undefined) return all;
    all.push(next.line);
    next.head.at += 1;
    if (all.length % LINES_PER_STEP === 0) yield;
  }
}

export interface Lookup {
  /** The line whose password libpq sends, right or wrong. */
  readonly found: EntryLine | undefined;
  /** The lines before that one; all lines when none is found. */
  readonly passedOver: readonly PassedOver[];
}

interface PassedOver {
  readonly line: Line;
  /** The fields in which the line differs; empty for a line that libpq skips. */
  readonly differing: readonly FieldName[];
}

/** The first line that matches, as libpq finds it, and why the lines before it do not. */
export function lookUp(lines: readonly Line[], target: LookupTarget): Lookup {
  const passedOver: PassedOver[] = [];
  for (const line of lines) {
    const differing = line.kind === 'entry' ? differences(line.entry, target) : [];
    if (line.kind === 'entry' && differing.length === 0) return { found: line, passedOver };
    passedOver.push({ line, differing });
  }
  return { found: undefined, passedOver };
}

/**
 * The lines that serve the connections that `wanted` describes, each line at least one connection. A
 * line serves none when a single earlier line covers all that it would serve; several earlier lines
 * cannot, since literals leave gaps in what a wildcard matches.
 */
export function linesServing(lines: readonly Line[], wanted: Entry): readonly EntryLine[] {
  return finish(servingInSteps(entryLinesOf(lines), wanted));
}

/** The same in steps; the lines may be only those that `LineIndex` finds. */
export function* servingInSteps(
  lines: readonly EntryLine[],
  wanted: Entry,
): Steps<readonly EntryLine[]> {
  const serving: EntryLine[] = [];
  const covered = new Coverage();
  for (const [index, line] of lines.entries()) {
    const share = intersection(line.entry, wanted);
    if (share !== undefined && covered.covering(share) === undefined) {
      serving.push(line);
      covered.add(line);
    }
    if (index % LINES_PER_STEP === LINES_PER_STEP - 1) yield;
  }
  return serving;
}

interface Shadow {
  readonly line: EntryLine;
  /** The first line before it that matches all that it matches. */
  readonly by: EntryLine;
}

/** The lines that libpq never reaches. */
export function shadowedLines(lines: readonly Line[]): readonly Shadow[] {
  const before = new Coverage();
  return entryLinesOf(lines).flatMap((line): Shadow[] => {
    const by = before.covering(line.entry);
    before.add(line);
    return by === undefined ? [] : [{ line, by }];
  });
}

function differences(entry: Entry, target: LookupTarget): readonly FieldName[] {
  return fieldNames.filter((name) => entry[name] !== ANY && entry[name] !== target[name]);
}

/** The connections that both describe, if any. */
function intersection(one: Entry, other: Entry): Entry | undefined {
  const apart = fieldNames.some(
    (name) => one[name] !== ANY && other[name] !== ANY && one[name] !== other[name],
  );
  if (apart) return undefined;
  const either = (name: FieldName) => (one[name] === ANY ? other[name] : one[name]);
  return {
    host: either('host'),
    port: either('port'),
    database: either('database'),
    user: either('user'),
  };
}
