import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, lstat, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LONGEST_TOKEN } from '../support/access-token.ts';
import { inSteps, type Steps } from '../support/clock.ts';
import { errorOf, type Failure, type PgpassdError, systemErrorCode } from '../support/errors.ts';
import { decodeJwtClaims } from '../support/jwt.ts';
import { formatEntry, hasTooManyLines, parseLine, rawLines } from './format.ts';
import { belongsTo, type Expected, type Owner, readInPlace } from './inspect.ts';
import { BYTES, type PassfileLayout } from './layout.ts';
import { explainWriteError, passfileForeign, passfileNotKept } from './messages.ts';
import { type PassfileTarget, withStagedFile } from './publish.ts';

/** Whether what is in the passfile's place may be replaced. */
export type Ownership =
  /** Nothing that could be lost, or something that an earlier run wrote. */
  | { readonly kind: 'replaceable' }
  | {
      readonly kind: 'foreign';
      /** How we know that it is not ours, as a clause without any of its content. */
      readonly objection: string;
      /** Whether it can be kept under another name: a file, or a link to one. */
      readonly keepable: boolean;
    };

const replaceable: Ownership = { kind: 'replaceable' };

const foreign = (objection: string, keepable = true): Ownership => ({
  kind: 'foreign',
  objection,
  keepable,
});

/**
 * Finds out whose the file at the target's path is. A directory counts as
 * replaceable: a rename cannot put a file over it, so nothing is lost.
 *
 * `published` is what we have put there. Before we have, a link counts as what it leads to, and
 * anything other than a regular file, such as a FIFO, is not ours. Rejects with the system's error
 * when the volume fails.
 */
export async function findOwnership(
  target: PassfileTarget,
  layout: PassfileLayout,
  published: Expected | undefined,
): Promise<Ownership> {
  const itself = await unlessAbsent(lstat(target.path));
  if (itself === undefined || itself.isDirectory()) return replaceable;
  // Replacing a link does not touch what it leads to.
  if (published !== undefined && !itself.isFile()) return replaceable;
  const stats = itself.isSymbolicLink() ? await unlessAbsent(stat(target.path)) : itself;
  if (stats === undefined) return replaceable;
  if (stats.isDirectory()) return foreign('it is a link to a directory');
  if (!stats.isFile()) return foreign('it is not a regular file', itself.isSymbolicLink());
  const content = await contentInPlace(target.path);
  if (content === 'forbidden') {
    return isGivenAway(itself, target, published)
      ? replaceable
      : foreign('this user may not read it');
  }
  if (content === undefined) return foreign('it is larger than any passfile');
  if (published?.content.subarray(0, content.length).equals(content)) return replaceable;
  if (hasTooManyLines(content.toString(BYTES))) {
    return foreign('it has more lines than any passfile');
  }
  const line = await inSteps(firstForeignLine(content, layout), setImmediate);
  if (line === undefined || (await wasWritten(target, content, stats))) return replaceable;
  return foreign(`line ${line} is for none of the entries and holds no token`);
}

/**
 * Why the file may not be replaced; `undefined` when it may. `replacesAny` is set with a template, which
 * describes the whole file: then what can be kept under another name is replaced.
 */
export function refusalOf(
  ownership: Ownership,
  { path }: PassfileTarget,
  replacesAny: boolean,
): Failure | undefined {
  if (ownership.kind === 'replaceable' || (replacesAny && ownership.keepable)) return undefined;
  return passfileForeign({ path, objection: ownership.objection });
}

/** What cannot be reached counts as absent; if its directory is closed to us, writing will fail and say so. */
async function unlessAbsent(stats: Promise<Stats>): Promise<Stats | undefined> {
  return await stats.catch((error: unknown) => {
    const code = systemErrorCode(error) ?? '';
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG'].includes(code)) return undefined;
    throw error;
  });
}

/** `undefined` when it is larger than any passfile. */
async function contentInPlace(path: string): Promise<Buffer | 'forbidden' | undefined> {
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
 * Whether it is a file that we gave to its owner: root with CAP_CHOWN alone can no longer read it, and
 * finds it like that after a restart.
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

/**
 * The number of the first line that pgpassd would not have written, and that would be lost if the file
 * were replaced; `undefined` when there is none. Ours are the lines of `layout`, and every line whose
 * password is a JWT, since entries may have changed. Blank lines are ignored.
 */
export function* firstForeignLine(
  content: Buffer,
  layout: Pick<PassfileLayout, 'has'>,
): Steps<number | undefined> {
  for (const { text, number, pause } of rawLines(content.toString(BYTES))) {
    if (!isOurLine(text, layout)) return number;
    if (pause) yield;
  }
  return undefined;
}

function isOurLine(text: string, layout: Pick<PassfileLayout, 'has'>): boolean {
  if (/^[ \t]*$/.test(text)) return true;
  const line = text.includes('\0') ? undefined : parseLine(text);
  if (layout.has({ text, name: line && formatEntry(line.entry) })) return true;
  if (line === undefined || line.password.length > LONGEST_TOKEN) return false;
  return decodeJwtClaims(line.password) !== undefined;
}

/**
 * Records beside the passfile, in `.NAME.pgpassd-written`, that we wrote `content`: its SHA-256 in
 * hexadecimal. Without that record we would not recognise our file after a restart with a changed
 * template. A passfile that holds nothing but JWTs is recognised by itself and needs no record.
 *
 * A failure loses nothing: without the record the file is kept as if another program had written it.
 */
export async function recordWritten(target: PassfileTarget, content: Buffer): Promise<void> {
  if ((await inSteps(firstForeignLine(content, noLayout), setImmediate)) === undefined) {
    return await forgetWritten(target);
  }
  const like = { ...target, mode: 0o600, owner: undefined };
  await withStagedFile(like, Buffer.from(`${digestOf(content)}\n`), (staged) =>
    rename(staged, recordOf(target)),
  ).catch(() => undefined);
}

/**
 * Whether we recorded that we wrote `content`, which is in place and belongs to `owner`. A record counts
 * only if it is ours or the owner's, who may change the file as well.
 */
async function wasWritten(target: PassfileTarget, content: Buffer, owner: Owner): Promise<boolean> {
  const record = await readInPlace(recordOf(target)).catch(() => undefined);
  if (record === undefined) return false;
  if (![process.geteuid?.(), owner.uid].includes(record.stats.uid)) return false;
  return record.content.toString('latin1').trimEnd() === digestOf(content);
}

export async function forgetWritten(target: PassfileTarget): Promise<void> {
  await rm(recordOf(target), { force: true }).catch(() => undefined);
}

const noLayout = { has: () => false };

function recordOf({ path }: PassfileTarget): string {
  return join(dirname(path), `.${basename(path)}.pgpassd-written`);
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** One is enough for the file that was there before us; more are for a program that keeps replacing ours. */
const MOST_KEPT = 9;

/**
 * Keeps the file, or the link, in the passfile's place under another name beside it, with its owner
 * and mode, and never over another file. Returns that name; `undefined` when the file is gone.
 *
 * @throws PgpassdError `config.invalid` when it cannot be kept, `passfile.*` when the volume fails
 */
export async function keepForeign(
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
      if (code !== 'EEXIST') throw explainKeepError(error, target, refuse);
      if (await isSame(path, kept)) return kept;
    }
  }
  throw refuse(`there are ${MOST_KEPT} such files already`);
}

function explainKeepError(
  error: unknown,
  target: PassfileTarget,
  refuse: (reason: string, cause?: unknown) => PgpassdError,
): PgpassdError {
  const explained = explainWriteError(error, target);
  return explained.code === 'passfile.unwritable' || explained.code === 'config.invalid'
    ? refuse(systemErrorCode(error) ?? explained.message, error)
    : explained;
}

/** A hard link is the safest copy, but not every system and file system allows one. */
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

/** Without hard links only a rename is left, which would replace a file that appears there meanwhile. */
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

/** Whether `kept` already is a copy of what is at `path`. */
async function isSame(path: string, kept: string): Promise<boolean> {
  const [one, other] = await Promise.all([lstat(path), lstat(kept)]).catch(() => []);
  if (one === undefined || other === undefined) return false;
  if (one.ino === other.ino && one.dev === other.dev) return true;
  if (one.mode !== other.mode || one.uid !== other.uid || one.gid !== other.gid) return false;
  if (one.isSymbolicLink()) return (await readlink(path)) === (await readlink(kept));
  const contents = await Promise.all(
    [path, kept].map(async (each) => (await readInPlace(each).catch(() => undefined))?.content),
  );
  const [content, before] = contents;
  return content !== undefined && before !== undefined && content.equals(before);
}
