import type { Steps } from '../support/steps.ts';
import { ANY, type Entry } from './format.ts';
import { type EntryLine, fieldNames } from './lines.ts';

/**
 * Which fields of an entry are literal, one bit each. There are sixteen combinations, so that a
 * line is found without a look at all of them: it is one of each combination, found by its literals.
 */
type Shape = number;

function shapeOf(entry: Entry): Shape {
  return fieldNames.reduce(
    (shape, name, bit) => (entry[name] === ANY ? shape : shape | (1 << bit)),
    0,
  );
}

/** The literals of `entry` at the places of `shape`; a line cannot say a NUL. */
function keyOf(entry: Entry, shape: Shape): string {
  return fieldNames.map((name, bit) => ((shape & (1 << bit)) === 0 ? '' : entry[name])).join('\0');
}

/** Whether `shape` is literal nowhere but where `other` is. */
function isWithin(shape: Shape, other: Shape): boolean {
  return (shape & ~other) === 0;
}

/** Lines that were passed, to find the one that takes what a later one is for. */
export class Coverage {
  /** Of the lines that say the same, the first. */
  readonly #lines = new Map<Shape, Map<string, EntryLine>>();

  add(line: EntryLine): void {
    const shape = shapeOf(line.entry);
    const alike = this.#lines.get(shape) ?? new Map<string, EntryLine>();
    this.#lines.set(shape, alike);
    const key = keyOf(line.entry, shape);
    if (!alike.has(key)) alike.set(key, line);
  }

  /** The first of the lines that match every connection that `wanted` describes. */
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

/** As many lines are looked at between two pauses. */
export const LINES_A_PIECE = 500;

type Sorted = Map<Shape, Map<string, EntryLine[]>>;

/** The lines of a passfile, to look for many entries in it. */
export class LineIndex {
  readonly #lines: readonly EntryLine[];
  /** Without those that say what an earlier one says already; by the shape of who asks. */
  readonly #sorted = new Map<Shape, Sorted>();

  constructor(lines: readonly EntryLine[]) {
    this.#lines = lines;
  }

  /**
   * The lines that match some of the connections that `wanted` describes, in their order, each at
   * least if no earlier line says the same.
   */
  *meeting(wanted: Entry): Steps<readonly EntryLine[]> {
    const wantedShape = shapeOf(wanted);
    const sorted = this.#sorted.get(wantedShape) ?? (yield* this.#sortFor(wantedShape));
    const groups = [...sorted].flatMap(([shape, lines]) => {
      const group = lines.get(keyOf(wanted, shape));
      return group === undefined ? [] : [group];
    });
    const [only = []] = groups;
    return groups.length <= 1 ? only : yield* merged(groups);
  }

  /** By the literals that lines have in common with entries of this shape. */
  *#sortFor(wantedShape: Shape): Steps<Sorted> {
    const sorted: Sorted = new Map();
    const seen = new Set<string>();
    for (const [index, line] of this.#lines.entries()) {
      if (index % LINES_A_PIECE === LINES_A_PIECE - 1) yield;
      const whole = shapeOf(line.entry);
      const said = `${whole}\0${keyOf(line.entry, whole)}`;
      if (seen.has(said)) continue;
      seen.add(said);
      const shape = whole & wantedShape;
      const alike = sorted.get(shape) ?? new Map<string, EntryLine[]>();
      sorted.set(shape, alike);
      const key = keyOf(line.entry, shape);
      const group = alike.get(key);
      if (group === undefined) alike.set(key, [line]);
      else group.push(line);
    }
    this.#sorted.set(wantedShape, sorted);
    return sorted;
  }
}

/** One list in order out of several, each in order. */
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
    if (all.length % LINES_A_PIECE === 0) yield;
  }
}
