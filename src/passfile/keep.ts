import { link, lstat, readlink, rename, symlink } from 'node:fs/promises';
import { type PgpassdError, systemErrorCode } from '../support/errors.ts';
import { errorOf } from '../support/failure.ts';
import { passfileNotKept } from './causes.ts';
import { readInPlace } from './inspect.ts';
import { type PassfileTarget, withStagedFile } from './publish.ts';
import { explainWriteError } from './write-errors.ts';

/** One is enough for what was there before; more are for a writer who comes back with something else. */
const MOST_KEPT = 9;

/**
 * Keeps the file, or the link, in the passfile's place under another name beside it, with its owner
 * and mode, and never over another file. Returns that name; `undefined` when it has gone.
 *
 * @throws PgpassdError `config.invalid` when it cannot be kept, `passfile.*` when the volume is to blame
 */
export async function keepInPlace(
  target: PassfileTarget,
  objection: string,
): Promise<string | undefined> {
  const { path } = target;
  const first = `${path}.before-pgpassd`;
  const refuse = (reason: string, cause?: unknown) =>
    errorOf(passfileNotKept({ path, objection, kept: first, reason }), { cause });
  for (let number = 1; number <= MOST_KEPT; number += 1) {
    const kept = number === 1 ? first : `${first}-${number}`;
    try {
      await linkOrCopy(target, kept);
      return kept;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOENT') return undefined;
      if (code !== 'EEXIST') throw explained(error, target, refuse);
      if (await isSame(path, kept)) return kept;
    }
  }
  throw refuse(`there are ${MOST_KEPT} such files already`);
}

function explained(
  error: unknown,
  target: PassfileTarget,
  refuse: (reason: string, cause?: unknown) => PgpassdError,
): PgpassdError {
  const explanation = explainWriteError(error, target);
  return explanation.code === 'passfile.unwritable' || explanation.code === 'config.invalid'
    ? refuse(systemErrorCode(error) ?? explanation.message, error)
    : explanation;
}

/** The very file under a second name is the surest copy, but neither every system nor every file system allows it. */
async function linkOrCopy(target: PassfileTarget, kept: string): Promise<void> {
  try {
    await link(target.path, kept);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST' || code === 'ENOENT') throw error;
    await copy(target, kept);
  }
}

async function copy({ path }: PassfileTarget, kept: string): Promise<void> {
  const itself = await lstat(path);
  if (itself.isSymbolicLink()) return await symlink(await readlink(path), kept);
  const inPlace = await readInPlace(path);
  if (inPlace === undefined) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
  const { content, stats } = inPlace;
  const { mode, uid, gid } = stats;
  const like = { path, mode: mode & 0o7777, owner: { uid, gid } };
  await withStagedFile(like, content, (staged) => moveTo(kept, staged));
}

/** Where there are no links, a rename has to do, which would replace what appears there meanwhile. */
async function moveTo(kept: string, staged: string): Promise<void> {
  try {
    await link(staged, kept);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') throw error;
    const there = await lstat(kept).catch(() => undefined);
    if (there !== undefined) throw Object.assign(new Error('in the way'), { code: 'EEXIST' });
    await rename(staged, kept);
  }
}

/** Whether what is in place is kept already. */
async function isSame(path: string, kept: string): Promise<boolean> {
  const [one, other] = await Promise.all([lstat(path), lstat(kept)]).catch(() => []);
  if (one === undefined || other === undefined) return false;
  if (one.ino === other.ino && one.dev === other.dev) return true;
  if (one.mode !== other.mode || one.uid !== other.uid || one.gid !== other.gid) return false;
  if (one.isSymbolicLink()) return (await readlink(path)) === (await readlink(kept));
  const [content, before] = await Promise.all([path, kept].map(contentOf));
  return content !== undefined && before !== undefined && content.equals(before);
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  return (await readInPlace(path).catch(() => undefined))?.content;
}
