import type { FileFacts, FoundPassfile } from '../../passfile/inspect.ts';
import { type EntryLine, entryLinesOf, type Line } from '../../passfile/lookup.ts';
import { explainUnready, explainWriteCode, octal, ownerRefused } from '../../passfile/messages.ts';
import { type Wanted, whyUnready } from '../../passfile/unready.ts';
import { untilAborted, withDeadline } from '../../support/deadline.ts';
import { duration, sanitizeValue } from '../../support/text.ts';
import * as causes from '../causes/passfile.ts';
import { findPassfile, type PassfileAt } from '../files/passfile-at.ts';
import { foreseeWriteError, mayGiveAway, neverChanges } from '../files/place.ts';
import { type Finding, few, ok, skipped, wrong } from '../finding.ts';
import { type Scene, type Side, timeoutMsOf } from '../scene.ts';
import { type Daemon, isAtEase } from './daemon.ts';
import { namesEntries } from './settings.ts';
import { foreseeStart, type StartObjections } from './start.ts';

const STEP = 'passfile';

/** A token of the usual size makes a line of some 2 KiB, and a file takes whole blocks. */
const USUAL_PASSFILE_BYTES = 4096;

/** What the system says to whoever may read a directory only, as an application should. */
const READ_ONLY = ['EROFS', 'EACCES'];

/** Whether the passfile can be put in place, whether libpq reads it, and whether what it reads is good. */
export async function checkPassfile(
  scene: Scene,
  side: Side,
  passfile: PassfileAt | undefined,
  daemon?: Daemon,
): Promise<readonly Finding[]> {
  const { passfile: name } = scene.reading.values;
  if (
    side === 'client' &&
    name === undefined &&
    (passfile?.found.kind ?? 'missing') === 'missing'
  ) {
    return [wrong(STEP, causes.passfileUnnamed())];
  }
  if (passfile === undefined) return [skipped(STEP, 'not looked at: no setting names it')];
  const { path, found } = passfile;
  const problem = problemOf(name ?? path, found);
  if (problem !== undefined) {
    return [wrong(STEP, causes.passfileMisnamed({ name: sanitizeValue(name ?? path), problem }))];
  }
  const obstacles =
    side === 'daemon' ? await writingFindings(scene, passfile, daemon) : await mountFindings(path);
  // What keeps one at work good, and what another container writes, needs no start here.
  const starts = side === 'daemon' && obstacles.length === 0 && !isAtEase(daemon);
  const start = starts ? await foreseeInTime(scene, path) : undefined;
  const mistaken = start?.settings === undefined ? [] : [wrong(STEP, start.settings)];
  // Why there is none has just been told.
  if (found.kind === 'missing' && obstacles.length > 0) return obstacles;
  return [
    ...obstacles,
    ...mistaken,
    ...readingFindings(scene, side, passfile),
    ...(start?.inPlace === undefined ? [] : [wrong(STEP, start.inPlace)]),
  ];
}

/** That the volume of the passfile does not answer, if so. */
export async function silentPassfile(
  setting: string | undefined,
  scene: Scene,
): Promise<Finding | undefined> {
  const { clock, signal, uid } = scene;
  const looked = await withDeadline(clock, timeoutMsOf(scene), signal, (attempt) =>
    untilAborted(
      findPassfile(setting).then(() => true),
      attempt,
    ),
  );
  if (looked || setting === undefined) return undefined;
  const onlooker = { path: setting, uid, nowMs: clock.now().wallMs, minValidityMs: 0 };
  return wrong(STEP, explainUnready({ kind: 'silent' }, onlooker));
}

/** One of the files that are compared with it may be on a volume that does not answer. */
async function foreseeInTime(scene: Scene, path: string): Promise<StartObjections | undefined> {
  const { clock, signal } = scene;
  return await withDeadline(clock, timeoutMsOf(scene), signal, (attempt) =>
    untilAborted(foreseeStart(scene, path), attempt),
  );
}

/** What is wrong with a name by which clients do not find the file. */
function problemOf(name: string, { kind }: FoundPassfile): string | undefined {
  if (name.endsWith('/')) return 'ends with a / as only a directory may';
  if (kind !== 'missing') return undefined;
  if (name !== name.trim()) return 'begins or ends with a blank';
  return name.startsWith('/')
    ? undefined
    : 'does not begin with a /: each program looks for it in its own working directory, and nobody replaces ~ or $HOME';
}

async function writingFindings(
  scene: Scene,
  passfile: PassfileAt,
  daemon: Daemon | undefined,
): Promise<Finding[]> {
  const { path, found } = passfile;
  const { owner } = scene.reading.values;
  const sizeBytes = 'file' in found ? (found.file?.sizeBytes ?? 0) : 0;
  const code = await foreseeWriteError(path, Math.max(sizeBytes, USUAL_PASSFILE_BYTES));
  if (code !== undefined) {
    const elsewhere = isAtEase(daemon) || !namesEntries(scene);
    return READ_ONLY.includes(code) && elsewhere && isGood(scene, found)
      ? [
          skipped(
            STEP,
            `cannot be written from this container (${code}); as it is good, another one keeps it`,
          ),
        ]
      : [wrong(STEP, explainWriteCode(code, path))];
  }
  return owner === undefined || (await mayGiveAway(owner))
    ? []
    : [wrong(STEP, ownerRefused({ path }))];
}

function isGood({ clock }: Scene, found: FoundPassfile): boolean {
  return found.kind === 'lines' && whyUnready(found, EVERY_LINE, clock.now().wallMs) === undefined;
}

async function mountFindings(path: string): Promise<Finding[]> {
  return (await neverChanges(path)) ? [wrong(STEP, causes.passfileFrozen({ path }))] : [];
}

const EVERY_LINE: Wanted = { entries: [], minValidityMs: 0 };

function readingFindings(
  scene: Scene,
  side: Side,
  { path, found }: PassfileAt,
): readonly Finding[] {
  if (found.kind === 'unreadable' && found.file !== undefined && isForAnother(scene, found.file)) {
    const { mode, uid } = found.file;
    return [
      ok(STEP, `${path}: mode ${octal(mode)}, uid ${uid}`),
      skipped(
        STEP,
        `its lines are not looked at: they are for uid ${uid} alone, as they should be`,
      ),
    ];
  }
  const nowMs = scene.clock.now().wallMs;
  const unready = whyUnready(found, EVERY_LINE, nowMs);
  const onlooker = { path, uid: scene.uid, nowMs, minValidityMs: 0 };
  const fault = unready === undefined ? [] : [wrong(STEP, explainUnready(unready, onlooker))];
  if (found.kind !== 'lines') return fault;
  const lines = entryLinesOf(found.lines);
  // What has no line at all is another file.
  const odd =
    lines.length === 0 ? [] : found.lines.flatMap((line) => oddityFinding(line, path) ?? []);
  const findings = [
    ...ownerFindings(scene, path, found.file),
    ...few(odd, 'more lines are wrong in such a way'),
    ...fault,
  ];
  const { mode, uid } = found.file;
  const count = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`;
  const facts = `mode ${octal(mode)}, ${ownerIn(scene, side, uid)}, ${count}`;
  return [ok(STEP, `${path}: ${facts}${validity(lines, nowMs)}`), ...findings];
}

/** Nobody sees from the container of pgpassd whom the clients run as, unless the settings say it. */
function ownerIn({ reading: { values } }: Scene, side: Side, uid: number): string {
  const compared = side === 'client' || (values.expectUid ?? values.owner) !== undefined;
  return compared ? `uid ${uid}` : `for clients that run as uid ${uid}`;
}

/** Whether it is for its owner's eyes alone, who is the one to read it, and not us. */
function isForAnother(scene: Scene, { uid }: FileFacts): boolean {
  return uid === expectedUid(scene) && uid !== scene.uid;
}

/** Who is to read the passfile. */
function expectedUid({ reading: { values }, uid }: Scene): number | undefined {
  return values.expectUid ?? values.owner?.uid ?? uid;
}

function ownerFindings(scene: Scene, path: string, file: FileFacts): Finding[] {
  const expected = expectedUid(scene);
  // Root reads what it does not own.
  if (expected === undefined || expected === 0 || expected === file.uid) return [];
  return [wrong(STEP, causes.passfileOtherOwner({ path, owner: file.uid, expected }))];
}

/** What comes first in the line: a comment with a blank before it has one in every field. */
function oddityFinding(line: Line, path: string): Finding | undefined {
  const about = { path, line: line.number };
  if (line.kind === 'malformed') return wrong(STEP, causes.lineMalformed(about));
  const [oddity] = line.kind === 'entry' ? line.oddities : [];
  if (oddity === undefined) return undefined;
  if (oddity.kind === 'byte-order-mark') return wrong(STEP, causes.lineByteOrderMark({ path }));
  const cause = oddity.kind === 'blanks' ? causes.lineBlanks : causes.lineEmptyField;
  return wrong(STEP, cause({ ...about, field: oddity.field }));
}

/** How long the token that ends first is good for. */
function validity(lines: readonly EntryLine[], nowMs: number): string {
  const ends = lines.flatMap(({ facts }) => facts.expiresAtMs ?? []).filter((end) => end > nowMs);
  return ends.length === 0 ? '' : `; valid for ${duration(Math.min(...ends) - nowMs)}`;
}
