import { connectionTo, entriesFromPgVariables } from '../../config/entry.ts';
import { ValueError } from '../../config/values.ts';
import { ANY, type Entry, formatEntry, type LookupTarget } from '../../passfile/format.ts';
import {
  type EntryLine,
  entryLinesOf,
  type FieldName,
  fieldNames,
  type Line,
  type Lookup,
  linesServing,
  lookUp,
  shadowedLines,
} from '../../passfile/lookup.ts';
import { passfileWithoutEntry } from '../../passfile/messages.ts';
import { failure } from '../../support/errors.ts';
import { holdsJwt } from '../../support/secret.ts';
import { duration, sanitizeValue } from '../../support/text.ts';
import type { PassfileAt } from '../host.ts';
import {
  type CheckContext,
  distinct,
  type Finding,
  ok,
  skipped,
  truncate,
  wrong,
} from '../step.ts';

export const noLineForConnection = failure<'path' | 'connection' | 'differences'>(
  'lookup-no-line',
  'passfile.no-line',
  ({ path, connection, differences }) => ({
    found: `no line of the passfile ${path} matches ${connection}: ${differences}`,
    remedy:
      'Spell host, port, database and user the same way in the client and in --entry (PGPASSD_ENTRIES) of pgpassd: libpq compares them byte by byte, so a host in another case, an alias, an address or a trailing dot does not match.',
  }),
);

export const noTokenForEntry = failure<'line' | 'path' | 'entry'>(
  'lookup-no-token',
  'passfile.no-line',
  ({ line, path, entry }) => ({
    found: `line ${line} of the passfile ${path}, which matches ${entry}, has a password that is not an Entra token`,
    remedy:
      'Set --passfile (PGPASSFILE) to the file that pgpassd writes, and check that pgpassd run is in this pod: it would have replaced this file.',
  }),
);

export const staticPasswordFirst = failure<'connection' | 'line' | 'path' | 'later'>(
  'lookup-static-password',
  'passfile.overridden',
  ({ connection, line, path, later }) => ({
    found: `${connection} gets the password in line ${line} of the passfile ${path}, which is not a token, instead of the token in line ${later}`,
    remedy: `Remove line ${line} from the template, or move it below the other: libpq uses the first line that matches.`,
  }),
);

export const lineShadowed = failure<'line' | 'path' | 'by'>(
  'lookup-shadowed-line',
  'passfile.overridden',
  ({ line, path, by }) => ({
    found: `line ${line} of the passfile ${path} is never used: line ${by} matches everything that it matches`,
    remedy:
      'Put the more specific line first, or remove one of the two: libpq uses the first line that matches.',
  }),
);

const STEP = 'lookup';

/** More would not help. */
const MOST_DIFFERENCES = 4;

/** Comparing every pair takes too long for more, and real passfiles are far shorter. */
const MOST_LINES = 2000;

/** Which line each client gets, and why no earlier one. */
export function checkLookup(
  context: CheckContext,
  passfile: PassfileAt | undefined,
  entries: readonly Entry[],
): readonly Finding[] {
  if (passfile?.found.kind !== 'lines' || entryLinesOf(passfile.found.lines).length === 0) {
    return [skipped(STEP, 'not examined: libpq reads no lines there')];
  }
  const { path, found } = passfile;
  const { lines } = found;
  const ofLines =
    lines.length > MOST_LINES
      ? [skipped(STEP, `${lines.length} lines are too many to compare`)]
      : [...shadowFindings(lines, path), ...entryFindings(context, entries, lines, path)];
  const findings = [
    ...ofLines,
    ...connectionsIn(context).map((connection) =>
      connectionFinding(connection, lines, path, context.clock.now().wallMs),
    ),
  ];
  if (findings.length > 0) return distinct(findings);
  return [
    skipped(STEP, 'not examined: say how the client connects, with --for HOST:PORT:DATABASE:USER'),
  ];
}

/** A line that is never used does no harm when it has the same password. */
function shadowFindings(lines: readonly Line[], path: string): readonly Finding[] {
  const findings = shadowedLines(lines)
    .filter(({ line, by }) => !line.password.equals(by.password))
    .map(({ line, by }) => wrong(STEP, lineShadowed({ path, line: line.number, by: by.number })));
  return truncate(findings, 'more lines are never used');
}

function entryFindings(
  context: CheckContext,
  entries: readonly Entry[],
  lines: readonly Line[],
  path: string,
): readonly Finding[] {
  const findings = entries.flatMap((entry) => entryFinding(context, entry, lines, path) ?? []);
  if (findings.length > 0) return truncate(findings, 'more entries have no token either');
  if (entries.length === 0) return [];
  return [ok(STEP, entries.length === 1 ? 'the entry has its line' : 'each entry has its line')];
}

/** A static password may stand beside the token, for another database, but not in its place. */
function entryFinding(
  { reading: { source } }: CheckContext,
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
    return wrong(STEP, staticPasswordFirst(about));
  }
  return source?.kind === 'workload-identity'
    ? wrong(STEP, noTokenForEntry({ path, entry: name, line }))
    : undefined;
}

/** The connections of `--for`, or else the one that libpq's variables describe. */
function connectionsIn({ reading: { values }, env }: CheckContext): readonly LookupTarget[] {
  if (values.for !== undefined && values.for.length > 0) return values.for;
  if (!env['PGUSER'] || !(env['PGHOST'] || env['PGHOSTADDR'])) return [];
  try {
    return entriesFromPgVariables(env).flatMap((entry) => connectionTo(entry) ?? []);
  } catch (error) {
    // Reported with the settings, where those are pgpassd's.
    if (error instanceof ValueError) return [];
    throw error;
  }
}

function connectionFinding(
  connection: LookupTarget,
  lines: readonly Line[],
  path: string,
  nowMs: number,
): Finding {
  const name = formatEntry(connection);
  const { found, passedOver } = lookUp(lines, connection);
  const differences = differencesOf(passedOver);
  if (found === undefined) {
    return wrong(STEP, noLineForConnection({ path, connection: name, differences }));
  }
  const later = laterToken(found, lines, connection);
  if (later !== undefined) {
    return wrong(
      STEP,
      staticPasswordFirst({
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
  connection: LookupTarget,
): EntryLine | undefined {
  if (found.facts.kind !== 'opaque') return undefined;
  const rest = lines.filter(({ number }) => number > found.number);
  const next = lookUp(rest, connection).found;
  return next?.facts.kind === 'jwt' ? next : undefined;
}

function differencesOf(passedOver: Lookup['passedOver']): string {
  const described = passedOver.flatMap(({ line, differing }) => {
    if (line.kind === 'malformed') return [`line ${line.number} has fewer than five fields`];
    if (line.kind !== 'entry') return [];
    return [`line ${line.number} has ${shownFields(line, differing)}`];
  });
  const more = described.length - MOST_DIFFERENCES;
  const shown = described.slice(0, MOST_DIFFERENCES).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function contentOf({ facts: { kind, expiresAtMs } }: EntryLine, nowMs: number): string {
  if (kind === 'empty') return 'which has no password';
  if (kind !== 'jwt') return 'a password of unknown lifetime';
  if (expiresAtMs === undefined) return 'a token of unknown lifetime';
  return expiresAtMs > nowMs
    ? `a token valid for ${duration(expiresAtMs - nowMs)}`
    : `a token that expired ${duration(nowMs - expiresAtMs)} ago`;
}

/**
 * Whether each field of a line holds what belongs there. Where they are out of order, any of them may
 * be a password, which must not be shown.
 */
export function isInOrder({ entry, facts, oddities }: EntryLine): boolean {
  const port = entry.port === ANY || /^\d+$/.test(entry.port);
  const holdsToken = fieldNames.some((name) => holdsJwt(entry[name] ?? ''));
  return port && !holdsToken && facts.kind !== 'empty' && oddities.length === 0;
}

/** These fields of a line, in words. */
function shownFields(line: EntryLine, names: readonly FieldName[]): string {
  const shown = names.map((name) =>
    isInOrder(line) ? `${name} ${sanitizeValue(line.entry[name] ?? '*')}` : `another ${name}`,
  );
  return shown.join(' and ');
}
