import { createHash } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { inSteps } from '../support/steps.ts';
import { type Owner, readInPlace } from './inspect.ts';
import { firstForeignLine } from './ownership.ts';
import { type PassfileTarget, withStagedFile } from './publish.ts';

/**
 * Notes beside the passfile, in `.NAME.pgpassd-written`, that we wrote `content`: its SHA-256 in hexadecimal.
 * Other settings, a template that has changed for one, would not know it again after a restart. A
 * passfile that holds nothing but JWTs is known by itself and needs no note.
 *
 * Without a note the file is kept as if another had written it, so a failure loses nothing.
 */
export async function noteWritten(target: PassfileTarget, content: Buffer): Promise<void> {
  if ((await inSteps(firstForeignLine(content, noLayout), setImmediate)) === undefined) {
    return await forgetWritten(target);
  }
  const like = { ...target, mode: 0o600, owner: undefined };
  await withStagedFile(like, Buffer.from(`${digestOf(content)}\n`), (staged) =>
    rename(staged, noteOf(target)),
  ).catch(() => undefined);
}

/**
 * Whether that is noted of `content`, which is what is in place and belongs to `owner`. The note counts
 * when it is ours or the owner's, who may change the file as well.
 */
export async function wasWritten(
  target: PassfileTarget,
  content: Buffer,
  owner: Owner,
): Promise<boolean> {
  const note = await readInPlace(noteOf(target)).catch(() => undefined);
  if (note === undefined || ![process.geteuid?.(), owner.uid].includes(note.stats.uid))
    return false;
  return note.content.toString('latin1').trimEnd() === digestOf(content);
}

export async function forgetWritten(target: PassfileTarget): Promise<void> {
  await rm(noteOf(target), { force: true }).catch(() => undefined);
}

const noLayout = { has: () => false };

function noteOf({ path }: PassfileTarget): string {
  return join(dirname(path), `.${basename(path)}.pgpassd-written`);
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
