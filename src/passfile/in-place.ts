import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { systemErrorCode } from '../support/errors.ts';
import type { Failure } from '../support/failure.ts';
import { inSteps } from '../support/steps.ts';
import { passfileForeign } from './causes.ts';
import { belongsTo, type Expected, readInPlace } from './inspect.ts';
import { BYTES, type PassfileLayout } from './layout.ts';
import { firstForeignLine } from './ownership.ts';
import type { PassfileTarget } from './publish.ts';
import { hasTooManyLines } from './raw-lines.ts';
import { PLACEHOLDER } from './template.ts';
import { wasWritten } from './written.ts';

/** Whose it is what is in the passfile's place. */
export type Standing =
  /** Nothing that could be lost, or what an earlier run has written. */
  | { readonly kind: 'ours' }
  | {
      readonly kind: 'foreign';
      /** What tells that it is not ours, as a clause; nothing of its content. */
      readonly objection: string;
      /** Whether it is a file, or a link to one, and so something that can be kept. */
      readonly keepable: boolean;
    };

const ours: Standing = { kind: 'ours' };

const foreign = (objection: string, keepable = true): Standing => ({
  kind: 'foreign',
  objection,
  keepable,
});

/**
 * Looks whose the file at the target's path is. A directory counts as ours, since no file ever replaces one.
 *
 * `published` is what we have put there; as long as there is nothing of that, a link counts as what
 * it leads to, and a file of another kind, such as a FIFO, is not ours. Rejects with the system's
 * error when the volume fails.
 */
export async function lookWhose(
  target: PassfileTarget,
  layout: PassfileLayout,
  published: Expected | undefined,
): Promise<Standing> {
  const link = await unlessAbsent(lstat(target.path));
  if (link === undefined || link.isDirectory()) return ours;
  // Whatever we may replace, what a link leads to stays.
  if (published !== undefined && !link.isFile()) return ours;
  const stats = link.isSymbolicLink() ? await unlessAbsent(stat(target.path)) : link;
  if (stats === undefined) return ours;
  if (stats.isDirectory()) return foreign('it is a link to a directory');
  if (!stats.isFile()) return foreign('it is not a regular file', link.isSymbolicLink());
  const content = await contentOf(target.path);
  if (content === 'forbidden') {
    return isGivenAway(link, target, published) ? ours : foreign('this user may not read it');
  }
  if (content === undefined) return foreign('it is larger than any passfile');
  if (published?.content.subarray(0, content.length).equals(content)) return ours;
  if (hasTooManyLines(content.toString(BYTES)))
    return foreign('it has more lines than any passfile');
  const line = await inSteps(firstForeignLine(content, layout), setImmediate);
  if (line === undefined || (await wasWritten(target, content, stats))) return ours;
  return foreign(`line ${line} is for none of the entries and holds no token`);
}

/**
 * Why the file may not be replaced, if so. `replacesAny`: with a template, which says what the whole file is to
 * be, what can be kept is no obstacle.
 */
export function refusalOf(
  standing: Standing,
  { path }: PassfileTarget,
  replacesAny: boolean,
): Failure | undefined {
  if (standing.kind === 'ours' || (replacesAny && standing.keepable)) return undefined;
  const { objection } = standing;
  return passfileForeign({ path, objection, placeholder: PLACEHOLDER });
}

/** What cannot be found is not there; whether the way there is closed, the publication will tell. */
async function unlessAbsent(looking: Promise<Stats>): Promise<Stats | undefined> {
  return await looking.catch((error: unknown) => {
    const code = systemErrorCode(error) ?? '';
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG'].includes(code)) return undefined;
    throw error;
  });
}

async function contentOf(path: string): Promise<Buffer | 'forbidden' | undefined> {
  try {
    return (await readInPlace(path, 'followed'))?.content;
  } catch (error) {
    const code = systemErrorCode(error) ?? '';
    if (['EACCES', 'EPERM', 'EAGAIN'].includes(code)) return 'forbidden';
    if (code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/**
 * Whether it is such a file as we give away: root with CAP_CHOWN alone may not read it any more, and
 * finds it so after a restart.
 */
function isGivenAway(
  stats: Stats,
  { owner, mode }: PassfileTarget,
  published: Expected | undefined,
): boolean {
  if (!stats.isFile()) return false;
  if (published?.file?.ino === stats.ino && published.file.ctimeMs === stats.ctimeMs) return true;
  return owner !== undefined && belongsTo(stats, owner) && (stats.mode & 0o7777) === mode;
}
