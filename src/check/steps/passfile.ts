import type { Config } from '../../config/load.ts';
import { filesToRead } from '../../config/source.ts';
import { type FileFacts, type FoundPassfile, wholeOwner } from '../../passfile/inspect.ts';
import { layoutFor, objectionToSize, type PassfileLayout } from '../../passfile/layout.ts';
import { type EntryLine, entryLinesOf, type Line } from '../../passfile/lookup.ts';
import {
  explainUnready,
  explainWriteCode,
  octal,
  ownerRefused,
  passfileIsItsTemplate,
  passfileIsRead,
} from '../../passfile/messages.ts';
import { findOwnership, refusalOf } from '../../passfile/ownership.ts';
import { type Wanted, whyUnready } from '../../passfile/unready.ts';
import { untilAborted, withDeadline } from '../../support/clock.ts';
import { type Failure, failure } from '../../support/errors.ts';
import { firstSameFile, isSameFile } from '../../support/files.ts';
import { duration, sanitizeValue } from '../../support/text.ts';
import {
  findPassfile,
  foreseeWriteError,
  mayGiveAway,
  neverChanges,
  type PassfileAt,
} from '../host.ts';
import {
  type CheckContext,
  type Finding,
  namesEntries,
  ok,
  type Side,
  skipped,
  timeoutMsOf,
  truncate,
  wrong,
} from '../step.ts';
import { type DaemonStatus, isHealthy } from './daemon.ts';

export const passfileOtherOwner = failure<'path' | 'owner' | 'expected'>(
  'passfile-owner',
  'passfile.ignored',
  ({ path, owner, expected }) => ({
    found: `the passfile ${path} belongs to uid ${owner}, so a client that runs as uid ${expected} cannot read it, and libpq skips it without a warning`,
    remedy: `Give both containers the same runAsUser (${expected}), or run pgpassd with --owner ${expected} as root with the capability CHOWN.`,
  }),
);

export const passfileUnnamed = failure('passfile-unnamed', 'passfile.missing', () => ({
  found:
    'PGPASSFILE is not set, and the home directory has no .pgpass, which clients read in that case',
  remedy: 'Set PGPASSFILE in the env of the application to the file that pgpassd writes.',
}));

export const passfileMisnamed = failure<'name' | 'problem'>(
  'passfile-name',
  'passfile.missing',
  ({ name, problem }) => ({
    found: `the passfile is named "${name}", which ${problem}`,
    remedy:
      'Set PGPASSFILE (--passfile) to the absolute path of the file, such as /pgpass/pgpass, in both containers.',
  }),
);

export const passfileFrozen = failure<'path'>(
  'passfile-frozen',
  'passfile.ignored',
  ({ path }) => ({
    found: `the passfile ${path} is mounted with subPath or as a single file, so this container never sees a new version of it`,
    remedy:
      'Mount the directory instead of the single file, without subPath, and set PGPASSFILE to the file in it.',
  }),
);

export const lineMalformed = failure<'line' | 'path'>(
  'passfile-line-malformed',
  'passfile.malformed',
  ({ line, path }) => ({
    found: `line ${line} of the passfile ${path} has fewer than five fields: libpq skips it, and other clients fail on it`,
    remedy:
      'Write it as host:port:database:user:password in the template, or start it with # if it is a comment.',
  }),
);

export const lineBlanks = failure<'field' | 'line' | 'path'>(
  'passfile-line-blanks',
  'passfile.malformed',
  ({ field, line, path }) => ({
    found: `the ${field} in line ${line} of the passfile ${path} begins or ends with a space or tab, which libpq treats as part of it`,
    remedy: 'Remove the space or tab from the template or from --entry (PGPASSD_ENTRIES).',
  }),
);

export const lineByteOrderMark = failure<'path'>(
  'passfile-byte-order-mark',
  'passfile.malformed',
  ({ path }) => ({
    found: `the passfile ${path} begins with a byte order mark, which libpq treats as part of the first host`,
    remedy: 'Save the template as UTF-8 without a byte order mark.',
  }),
);

export const lineEmptyField = failure<'line' | 'path' | 'field'>(
  'passfile-line-empty-field',
  'passfile.malformed',
  ({ line, path, field }) => ({
    found: `line ${line} of the passfile ${path} has no ${field}, so it matches nothing`,
    remedy: `In the template, write * to match any ${field}.`,
  }),
);

const STEP = 'passfile';

/** A token of the usual size makes a line of about 2 KiB, and a file takes whole blocks. */
const USUAL_PASSFILE_BYTES = 4096;

/** The errors of a directory that may only be read, as in the container of an application. */
const READ_ONLY = ['EROFS', 'EACCES'];

/** Whether the passfile can be written, whether libpq reads it, and whether its tokens are valid. */
export async function checkPassfile(
  context: CheckContext,
  side: Side,
  passfile: PassfileAt | undefined,
  daemon?: DaemonStatus,
): Promise<readonly Finding[]> {
  const { passfile: name } = context.reading.values;
  if (
    side === 'client' &&
    name === undefined &&
    (passfile?.found.kind ?? 'missing') === 'missing'
  ) {
    return [wrong(STEP, passfileUnnamed())];
  }
  if (passfile === undefined) return [skipped(STEP, 'not examined: no setting names it')];
  const { path, found } = passfile;
  const problem = namingProblem(name ?? path, found);
  if (problem !== undefined) {
    return [wrong(STEP, passfileMisnamed({ name: sanitizeValue(name ?? path), problem }))];
  }
  const obstacles =
    side === 'daemon'
      ? await writingFindings(context, passfile, daemon)
      : await mountFindings(path);
  // Asked only where pgpassd is yet to start: not when it runs, or in another container.
  const isYetToStart = side === 'daemon' && obstacles.length === 0 && !isHealthy(daemon);
  const start = isYetToStart ? await foreseeInTime(context, path) : undefined;
  const invalid = start?.settings === undefined ? [] : [wrong(STEP, start.settings)];
  // The obstacles explain why there is none.
  if (found.kind === 'missing' && obstacles.length > 0) return obstacles;
  return [
    ...obstacles,
    ...invalid,
    ...readingFindings(context, side, passfile),
    ...(start?.inPlace === undefined ? [] : [wrong(STEP, start.inPlace)]),
  ];
}

/** A finding when the volume of the passfile does not answer. */
export async function unresponsivePassfile(
  setting: string | undefined,
  context: CheckContext,
): Promise<Finding | undefined> {
  const { clock, signal, uid } = context;
  const answered = await withDeadline(clock, timeoutMsOf(context), signal, (attempt) =>
    untilAborted(
      findPassfile(setting).then(() => true),
      attempt,
    ),
  );
  if (answered || setting === undefined) return undefined;
  const reader = { path: setting, uid, nowMs: clock.now().wallMs, minValidityMs: 0 };
  return wrong(STEP, explainUnready({ kind: 'silent' }, reader));
}

/** A file that the passfile is compared with may be on a volume that does not answer. */
async function foreseeInTime(
  context: CheckContext,
  path: string,
): Promise<StartObjections | undefined> {
  const { clock, signal } = context;
  return await withDeadline(clock, timeoutMsOf(context), signal, (attempt) =>
    untilAborted(foreseeStart(context, path), attempt),
  );
}

/** Why clients do not find the file by this name. */
function namingProblem(name: string, { kind }: FoundPassfile): string | undefined {
  if (name.endsWith('/')) return 'ends with / like the name of a directory';
  if (kind !== 'missing') return undefined;
  if (name !== name.trim()) return 'begins or ends with a space or tab';
  return name.startsWith('/')
    ? undefined
    : 'is not absolute: each program looks for it in its own working directory, and ~ and $HOME are not expanded';
}

async function writingFindings(
  context: CheckContext,
  passfile: PassfileAt,
  daemon: DaemonStatus | undefined,
): Promise<Finding[]> {
  const { path, found } = passfile;
  const { owner } = context.reading.values;
  const sizeBytes = 'file' in found ? (found.file?.sizeBytes ?? 0) : 0;
  const code = await foreseeWriteError(path, Math.max(sizeBytes, USUAL_PASSFILE_BYTES));
  if (code !== undefined) {
    const elsewhere = isHealthy(daemon) || !namesEntries(context);
    return READ_ONLY.includes(code) && elsewhere && isValid(context, found)
      ? [
          skipped(
            STEP,
            `cannot be written from this container (${code}), but it is valid, so another container keeps it current`,
          ),
        ]
      : [wrong(STEP, explainWriteCode(code, path))];
  }
  return owner === undefined || (await mayGiveAway(owner))
    ? []
    : [wrong(STEP, ownerRefused({ path }))];
}

function isValid({ clock }: CheckContext, found: FoundPassfile): boolean {
  return found.kind === 'lines' && whyUnready(found, EVERY_LINE, clock.now().wallMs) === undefined;
}

async function mountFindings(path: string): Promise<Finding[]> {
  return (await neverChanges(path)) ? [wrong(STEP, passfileFrozen({ path }))] : [];
}

const EVERY_LINE: Wanted = { entries: [], minValidityMs: 0 };

function readingFindings(
  context: CheckContext,
  side: Side,
  { path, found }: PassfileAt,
): readonly Finding[] {
  if (
    found.kind === 'unreadable' &&
    found.file !== undefined &&
    isForAnother(context, found.file)
  ) {
    const { mode, uid } = found.file;
    return [
      ok(STEP, `${path}: mode ${octal(mode)}, uid ${uid}`),
      skipped(STEP, `its lines are not examined: only uid ${uid} can read them, as intended`),
    ];
  }
  const nowMs = context.clock.now().wallMs;
  const unready = whyUnready(found, EVERY_LINE, nowMs);
  const reader = { path, uid: context.uid, nowMs, minValidityMs: 0 };
  const fault = unready === undefined ? [] : [wrong(STEP, explainUnready(unready, reader))];
  if (found.kind !== 'lines') return fault;
  const lines = entryLinesOf(found.lines);
  // A file without any line is not a passfile.
  const odd =
    lines.length === 0 ? [] : found.lines.flatMap((line) => oddityFinding(line, path) ?? []);
  const findings = [
    ...ownerFindings(context, path, found.file),
    ...truncate(odd, 'more lines have such problems'),
    ...fault,
  ];
  const { mode, uid } = found.file;
  const count = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`;
  const facts = `mode ${octal(mode)}, ${ownerIn(context, side, uid)}, ${count}`;
  return [ok(STEP, `${path}: ${facts}${validity(lines, nowMs)}`), ...findings];
}

/** From the container of pgpassd, only the settings tell which user the clients run as. */
function ownerIn({ reading: { values } }: CheckContext, side: Side, uid: number): string {
  const compared = side === 'client' || (values.expectUid ?? values.owner) !== undefined;
  return compared ? `uid ${uid}` : `for clients that run as uid ${uid}`;
}

/** Whether only its owner can read it, who is the expected reader, and not this process. */
function isForAnother(context: CheckContext, { uid }: FileFacts): boolean {
  return uid === expectedUid(context) && uid !== context.uid;
}

/** The user that is expected to read the passfile. */
function expectedUid({ reading: { values }, uid }: CheckContext): number | undefined {
  return values.expectUid ?? values.owner?.uid ?? uid;
}

function ownerFindings(context: CheckContext, path: string, file: FileFacts): Finding[] {
  const expected = expectedUid(context);
  // Root can read any file.
  if (expected === undefined || expected === 0 || expected === file.uid) return [];
  return [wrong(STEP, passfileOtherOwner({ path, owner: file.uid, expected }))];
}

/** The first oddity of the line only: an indented comment has one in every field. */
function oddityFinding(line: Line, path: string): Finding | undefined {
  const about = { path, line: line.number };
  if (line.kind === 'malformed') return wrong(STEP, lineMalformed(about));
  const [oddity] = line.kind === 'entry' ? line.oddities : [];
  if (oddity === undefined) return undefined;
  if (oddity.kind === 'byte-order-mark') return wrong(STEP, lineByteOrderMark({ path }));
  const cause = oddity.kind === 'blanks' ? lineBlanks : lineEmptyField;
  return wrong(STEP, cause({ ...about, field: oddity.field }));
}

/** For how long the token that expires first is valid. */
function validity(lines: readonly EntryLine[], nowMs: number): string {
  const ends = lines.flatMap(({ facts }) => facts.expiresAtMs ?? []).filter((end) => end > nowMs);
  return ends.length === 0 ? '' : `; valid for ${duration(Math.min(...ends) - nowMs)}`;
}

/** Why `run` and `once` would not start with these settings, as far as the passfile is concerned. */
interface StartObjections {
  /** What is wrong with the settings, whatever file is in place. */
  readonly settings: Failure | undefined;
  /** Why pgpassd would not replace the file in place. */
  readonly inPlace: Failure | undefined;
}

/**
 * Foresees what the daemon would object to. None where its settings may be incomplete: the args of
 * another container can name a template, which decides on the whole file.
 */
async function foreseeStart(context: CheckContext, path: string): Promise<StartObjections> {
  const { config } = context.reading;
  if (config === undefined || !namesEntries(context)) {
    return { settings: undefined, inPlace: undefined };
  }
  // An invalid template is reported with the settings.
  const layout = await layoutFor(config).catch(() => undefined);
  const settings =
    (await objectionToSameFile(config, context, path)) ?? (layout && objectionToSize(layout, path));
  return { settings, inPlace: layout && (await objectionInPlace(config, layout, path)) };
}

/** In the order in which the daemon compares them. */
async function objectionToSameFile(
  config: Config,
  { env }: CheckContext,
  path: string,
): Promise<Failure | undefined> {
  const same = await firstSameFile(path, filesToRead(config, env));
  if (same !== undefined) return passfileIsRead({ setting: same.setting });
  const isTemplate = config.template !== undefined && (await isSameFile(path, config.template));
  return isTemplate ? passfileIsItsTemplate() : undefined;
}

/** A volume that fails is reported with the passfile. */
async function objectionInPlace(
  { owner, mode, template }: Config,
  layout: PassfileLayout,
  path: string,
): Promise<Failure | undefined> {
  const target = { path, mode, owner: owner && wholeOwner(owner) };
  const standing = await findOwnership(target, layout, undefined).catch(() => undefined);
  return standing && refusalOf(standing, target, template !== undefined);
}
