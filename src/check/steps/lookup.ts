import { type Connection, connectionTo, entriesFromPgVariables } from '../../config/entry.ts';
import { ValueError } from '../../config/values.ts';
import { type Entry, formatEntry } from '../../passfile/format.ts';
import {
  type EntryLine,
  entryLinesOf,
  type Line,
  type Lookup,
  linesServing,
  lookUp,
  shadowedLines,
} from '../../passfile/lookup.ts';
import { passfileWithoutEntry } from '../../passfile/messages.ts';
import { duration } from '../../support/text.ts';
import * as causes from '../causes/lookup.ts';
import type { PassfileAt } from '../files/passfile-at.ts';
import { distinct, type Finding, few, ok, skipped, wrong } from '../finding.ts';
import type { Scene } from '../scene.ts';
import { shownFields } from '../shown-fields.ts';

const STEP = 'lookup';

/** More are of no help to anybody. */
const MOST_DIFFERENCES = 4;

/** To compare each with each takes too long for more, and nobody has them. */
const MOST_LINES = 2000;

/** Which line each client gets, and why none before it. */
export function checkLookup(
  scene: Scene,
  passfile: PassfileAt | undefined,
  entries: readonly Entry[],
): readonly Finding[] {
  if (passfile?.found.kind !== 'lines' || entryLinesOf(passfile.found.lines).length === 0) {
    return [skipped(STEP, 'not looked at: libpq reads no lines there')];
  }
  const { path, found } = passfile;
  const { lines } = found;
  const ofLines =
    lines.length > MOST_LINES
      ? [skipped(STEP, `${lines.length} lines are too many to compare with each other`)]
      : [...shadowFindings(lines, path), ...entryFindings(scene, entries, lines, path)];
  const findings = [
    ...ofLines,
    ...connectionsIn(scene).map((connection) =>
      connectionFinding(connection, lines, path, scene.clock.now().wallMs),
    ),
  ];
  if (findings.length > 0) return distinct(findings);
  return [skipped(STEP, 'say how the client connects, with --for HOST:PORT:DATABASE:USER')];
}

/** A line that is never reached does no harm when it says the same. */
function shadowFindings(lines: readonly Line[], path: string): readonly Finding[] {
  const findings = shadowedLines(lines)
    .filter(({ line, by }) => !line.password.equals(by.password))
    .map(({ line, by }) =>
      wrong(STEP, causes.lineShadowed({ path, line: line.number, by: by.number })),
    );
  return few(findings, 'more lines are never reached');
}

function entryFindings(
  scene: Scene,
  entries: readonly Entry[],
  lines: readonly Line[],
  path: string,
): readonly Finding[] {
  const findings = entries.flatMap((entry) => entryFinding(scene, entry, lines, path) ?? []);
  if (findings.length > 0) return few(findings, 'more entries have no token either');
  if (entries.length === 0) return [];
  return [ok(STEP, entries.length === 1 ? 'the entry has its line' : 'each entry has its line')];
}

/** A static password may stand beside the token, for a database of its own, but not in its place. */
function entryFinding(
  { reading: { source } }: Scene,
  entry: Entry,
  lines: readonly Line[],
  path: string,
): Finding | undefined {
  const serving = linesServing(lines, entry);
  const [first] = serving;
  const name = formatEntry(entry);
  if (first === undefined) return wrong(STEP, passfileWithoutEntry({ path, entry: name }));
  if (serving.some(({ facts }) => facts.kind !== 'opaque')) return undefined;
  const { number: line } = first;
  const tokens = entryLinesOf(lines).filter(({ facts }) => facts.kind === 'jwt');
  const [later] = linesServing(tokens, entry);
  if (later !== undefined) {
    const about = { connection: name, path, line, later: later.number };
    return wrong(STEP, causes.staticPasswordFirst(about));
  }
  return source?.kind === 'workload-identity'
    ? wrong(STEP, causes.noTokenForEntry({ path, entry: name, line }))
    : undefined;
}

/** What `--for` says; else what libpq's own variables say to a client that says no more. */
function connectionsIn({ reading: { values }, env }: Scene): readonly Connection[] {
  if (values.for !== undefined && values.for.length > 0) return values.for;
  if (!env['PGUSER'] || !(env['PGHOST'] || env['PGHOSTADDR'])) return [];
  try {
    return entriesFromPgVariables(env).flatMap((entry) => connectionTo(entry) ?? []);
  } catch (error) {
    // Told as a problem of the settings, where they are ours.
    if (error instanceof ValueError) return [];
    throw error;
  }
}

function connectionFinding(
  connection: Connection,
  lines: readonly Line[],
  path: string,
  nowMs: number,
): Finding {
  const name = formatEntry(connection);
  const { found, passedOver } = lookUp(lines, connection);
  const differences = differencesOf(passedOver);
  if (found === undefined) {
    return wrong(STEP, causes.noLineForConnection({ path, connection: name, differences }));
  }
  const later = laterToken(found, lines, connection);
  if (later !== undefined) {
    return wrong(
      STEP,
      causes.staticPasswordFirst({
        connection: name,
        path,
        line: found.number,
        later: later.number,
      }),
    );
  }
  const before = differences === '' ? '' : `; before it ${differences}`;
  return ok(STEP, `${name} gets line ${found.number}, ${contentOf(found, nowMs)}${before}`);
}

/** The token that a client would get if a static password did not come first. */
function laterToken(
  found: EntryLine,
  lines: readonly Line[],
  connection: Connection,
): EntryLine | undefined {
  if (found.facts.kind !== 'opaque') return undefined;
  const rest = lines.filter(({ number }) => number > found.number);
  const next = lookUp(rest, connection).found;
  return next?.facts.kind === 'jwt' ? next : undefined;
}

function differencesOf(passedOver: Lookup['passedOver']): string {
  const told = passedOver.flatMap(({ line, differing }) => {
    if (line.kind === 'malformed') return [`line ${line.number} has fewer than five fields`];
    if (line.kind !== 'entry') return [];
    return [`line ${line.number} is for ${shownFields(line, differing)}`];
  });
  const more = told.length - MOST_DIFFERENCES;
  const shown = told.slice(0, MOST_DIFFERENCES).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function contentOf({ facts: { kind, expiresAtMs } }: EntryLine, nowMs: number): string {
  if (kind === 'empty') return 'which has no password';
  if (kind !== 'jwt') return 'a password that does not tell its life';
  if (expiresAtMs === undefined) return 'a token that does not tell its life';
  return expiresAtMs > nowMs
    ? `a token valid for ${duration(expiresAtMs - nowMs)}`
    : `a token that expired ${duration(nowMs - expiresAtMs)} ago`;
}
