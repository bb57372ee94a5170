import { type EntryLine, entryLinesOf, type Line } from '../../passfile/lines.ts';
import type { FileFacts, FoundPassfile } from '../../passfile/read-lines.ts';
import { explainUnready, octal } from '../../passfile/unready.ts';
import { whyUnready } from '../../passfile/waiting.ts';
import { explainWriteCode } from '../../passfile/write-errors.ts';
import { duration } from '../../support/duration.ts';
import * as causes from '../causes/passfile.ts';
import type { PassfileAt } from '../files/passfile-at.ts';
import { foreseeWriteError, isMountedAlone } from '../files/place.ts';
import { type Finding, ok, skipped, told, wrong } from '../finding.ts';
import type { Scene, Side } from '../scene.ts';

const STEP = 'passfile';

/** A token of the usual size makes a line of some 2 KiB, and a file takes whole blocks. */
const USUAL_PASSFILE_BYTES = 4096;

/** Whether the passfile can be put in place, whether libpq reads it, and whether what it reads is good. */
export async function checkPassfile(
  scene: Scene,
  side: Side,
  passfile: PassfileAt | undefined,
): Promise<readonly Finding[]> {
  if (passfile === undefined) return [skipped(STEP, 'not looked at: no setting names it')];
  const { path, found } = passfile;
  const obstacles =
    side === 'daemon' ? await writingFindings(path, found) : await mountFindings(path);
  // Why there is none has just been told.
  if (found.kind === 'missing' && obstacles.length > 0) return obstacles;
  return [...obstacles, ...readingFindings(scene, passfile)];
}

async function writingFindings(path: string, found: FoundPassfile): Promise<Finding[]> {
  const sizeBytes = 'file' in found ? (found.file?.sizeBytes ?? 0) : 0;
  const code = await foreseeWriteError(path, Math.max(sizeBytes, USUAL_PASSFILE_BYTES));
  return code === undefined ? [] : [told(STEP, explainWriteCode(code, path))];
}

async function mountFindings(path: string): Promise<Finding[]> {
  return (await isMountedAlone(path)) ? [wrong(STEP, causes.passfileFrozen, { path })] : [];
}

function readingFindings(scene: Scene, { path, found }: PassfileAt): readonly Finding[] {
  const expected = expectedUid(scene);
  if (found.kind === 'unreadable' && found.file !== undefined && found.file.uid === expected) {
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
  const every = { entries: [], minValidityMs: 0 };
  const unready = whyUnready(found, every, nowMs);
  const onlooker = { path, uid: scene.uid, nowMs, minValidityMs: 0 };
  const fault = unready === undefined ? [] : [told(STEP, explainUnready(unready, onlooker))];
  if (found.kind !== 'lines') return fault;
  const findings = [
    ...ownerFindings(scene, path, found.file),
    ...found.lines.flatMap((line) => oddityFindings(line, path)),
    ...fault,
  ];
  const { mode, uid } = found.file;
  const lines = entryLinesOf(found.lines);
  const count = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`;
  return [
    ok(STEP, `${path}: mode ${octal(mode)}, uid ${uid}, ${count}${validity(lines, nowMs)}`),
    ...findings,
  ];
}

/** Who is to read the passfile. */
function expectedUid({ reading: { values }, uid }: Scene): number | undefined {
  return values.expectUid ?? values.owner?.uid ?? uid;
}

function ownerFindings(scene: Scene, path: string, file: FileFacts): Finding[] {
  const expected = expectedUid(scene);
  // Root reads what it does not own.
  if (expected === undefined || expected === 0 || expected === file.uid) return [];
  return [wrong(STEP, causes.passfileOtherOwner, { path, owner: file.uid, expected })];
}

function oddityFindings(line: Line, path: string): Finding[] {
  const about = { path, line: line.number };
  if (line.kind === 'malformed') return [wrong(STEP, causes.lineMalformed, about)];
  if (line.kind !== 'entry') return [];
  return line.oddities.map((oddity) => {
    if (oddity.kind === 'byte-order-mark') return wrong(STEP, causes.lineByteOrderMark, { path });
    const cause = oddity.kind === 'blanks' ? causes.lineBlanks : causes.lineEmptyField;
    return wrong(STEP, cause, { ...about, field: oddity.field });
  });
}

/** How long the token that ends first is good for. */
function validity(lines: readonly EntryLine[], nowMs: number): string {
  const ends = lines.flatMap(({ facts }) => facts.expiresAtMs ?? []).filter((end) => end > nowMs);
  return ends.length === 0 ? '' : `; valid for ${duration(Math.min(...ends) - nowMs)}`;
}
