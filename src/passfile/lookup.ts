import { finish, type Steps } from '../support/steps.ts';
import { ANY, type Connection, type Entry } from './format.ts';
import { Coverage, LINES_A_PIECE } from './line-index.ts';
import { type EntryLine, entryLinesOf, type FieldName, fieldNames, type Line } from './lines.ts';

export interface Lookup {
  /** The line whose password libpq sends, be it right or wrong. */
  readonly found: EntryLine | undefined;
  /** The lines before that one; all of them when there is none. */
  readonly passedOver: readonly PassedOver[];
}

interface PassedOver {
  readonly line: Line;
  /** In which fields the line says something else; none in a line that says nothing. */
  readonly differing: readonly FieldName[];
}

/** The first line that matches, as libpq finds it, and why it is none before that. */
export function lookUp(lines: readonly Line[], connection: Connection): Lookup {
  const passedOver: PassedOver[] = [];
  for (const line of lines) {
    const differing = line.kind === 'entry' ? differences(line.entry, connection) : [];
    if (line.kind === 'entry' && differing.length === 0) return { found: line, passedOver };
    passedOver.push({ line, differing });
  }
  return { found: undefined, passedOver };
}

/**
 * The lines that serve the connections that `wanted` describes, each line at least one of them. A
 * line is none of these when a single earlier one takes all that is left for it: several cannot,
 * since literal fields leave room between them.
 */
export function linesServing(lines: readonly Line[], wanted: Entry): readonly EntryLine[] {
  return finish(servingInSteps(entryLinesOf(lines), wanted));
}

/** The same with a pause now and then, also of the lines alone that `LineIndex` finds. */
export function* servingInSteps(
  lines: readonly EntryLine[],
  wanted: Entry,
): Steps<readonly EntryLine[]> {
  const serving: EntryLine[] = [];
  const taken = new Coverage();
  for (const [index, line] of lines.entries()) {
    const share = intersection(line.entry, wanted);
    if (share !== undefined && taken.covering(share) === undefined) {
      serving.push(line);
      taken.add(line);
    }
    if (index % LINES_A_PIECE === LINES_A_PIECE - 1) yield;
  }
  return serving;
}

interface Shadow {
  readonly line: EntryLine;
  /** The first line before it that matches whatever it matches. */
  readonly by: EntryLine;
}

/** The lines that libpq never gets to. */
export function shadowedLines(lines: readonly Line[]): readonly Shadow[] {
  const before = new Coverage();
  return entryLinesOf(lines).flatMap((line): Shadow[] => {
    const by = before.covering(line.entry);
    before.add(line);
    return by === undefined ? [] : [{ line, by }];
  });
}

function differences(entry: Entry, connection: Connection): readonly FieldName[] {
  return fieldNames.filter((name) => entry[name] !== ANY && entry[name] !== connection[name]);
}

/** What both describe, if anything. */
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
