import {
  type ErrorCode,
  errorOf,
  type Failure,
  failure,
  PgpassdError,
  systemErrorCode,
} from '../support/errors.ts';
import { duration } from '../support/text.ts';
import { formatEntry, LARGEST_PASSFILE_BYTES, MOST_PASSFILE_LINES, PLACEHOLDER } from './format.ts';
import type { Unready } from './unready.ts';

const USE_WRITTEN_FILE = 'Set --passfile (PGPASSFILE) to the file that pgpassd writes';
const USE_MEMORY =
  'Keep it on an emptyDir in memory; a network volume or a disk may hang for as long as its server or device does.';

/** A kind of failure that names nothing but the path. */
const aboutPath = (id: string, code: ErrorCode, predicate: string, remedy: string) =>
  failure<'path'>(id, code, ({ path }) => ({ found: `the passfile ${path} ${predicate}`, remedy }));

export const passfileMissing = aboutPath(
  'passfile-missing',
  'passfile.missing',
  'does not exist',
  'Check that pgpassd run runs in this pod, that both containers mount the same volume, and that --passfile (PGPASSFILE) is the path in this container.',
);

export const passfileDangling = aboutPath(
  'passfile-dangling',
  'passfile.missing',
  'is a link to a file that does not exist',
  `${USE_WRITTEN_FILE}, not to a link to it.`,
);

export const passfileNotAFile = aboutPath(
  'passfile-not-a-file',
  'passfile.ignored',
  'is not a regular file, so libpq ignores it',
  `${USE_WRITTEN_FILE}, and mount its directory, without a subPath.`,
);

export const passfileLoose = failure<'path' | 'mode'>(
  'passfile-mode',
  'passfile.ignored',
  ({ path, mode }) => ({
    found: `the passfile ${path} has mode ${mode}, so libpq ignores it: group and world must have no access`,
    remedy:
      'Keep it on an emptyDir, where pgpassd sets its mode, or chmod it to 0600; files mounted from a Secret or a ConfigMap get group access from fsGroup.',
  }),
);

export const passfileForbidden = failure<'path' | 'reader' | 'belonging' | 'uid'>(
  'passfile-forbidden',
  'passfile.ignored',
  ({ path, reader, belonging, uid }) => ({
    found: `the passfile ${path} cannot be read by ${reader} (EACCES)${belonging}`,
    remedy: `Run both containers as the same user (runAsUser), or let pgpassd set the owner of the file with --owner${uid}.`,
  }),
);

export const passfileUnreadable = failure<'path' | 'reader' | 'code' | 'belonging'>(
  'passfile-unreadable',
  'passfile.ignored',
  ({ path, reader, code, belonging }) => ({
    found: `the passfile ${path} cannot be read by ${reader} (${code})${belonging}`,
    remedy: 'Check the volume that holds it.',
  }),
);

export const passfileSilent = aboutPath(
  'passfile-silent',
  'passfile.ignored',
  'cannot be checked: its volume does not answer',
  USE_MEMORY,
);

export const passfileTooLarge = aboutPath(
  'passfile-too-large',
  'passfile.malformed',
  `is too large: over ${LARGEST_PASSFILE_BYTES / 1024 ** 2} MiB, or over ${MOST_PASSFILE_LINES} lines`,
  `${USE_WRITTEN_FILE}.`,
);

export const passfileWithoutLines = aboutPath(
  'passfile-without-lines',
  'passfile.malformed',
  'has no line host:port:database:user:password',
  `${USE_WRITTEN_FILE}, and let nothing else create it: pgpassd puts the complete file in place at once.`,
);

export const passfileIsTemplate = failure<'line' | 'path'>(
  'passfile-is-template',
  'passfile.malformed',
  ({ line, path }) => ({
    found: `line ${line} of the passfile ${path} has the password ${PLACEHOLDER}: the file is the template`,
    remedy: `${USE_WRITTEN_FILE}, not to its --template.`,
  }),
);

export const passfileTokenCut = failure<'line' | 'path'>(
  'passfile-token-cut',
  'passfile.malformed',
  ({ line, path }) => ({
    found: `the password in line ${line} of the passfile ${path} begins like a token, but is incomplete`,
    remedy:
      'Find out what else writes the file: pgpassd puts the complete file in place at once, but a script that copies it may have cut the line.',
  }),
);

export const passfileWithoutPassword = failure<'line' | 'path'>(
  'passfile-without-password',
  'passfile.malformed',
  ({ line, path }) => ({
    found: `line ${line} of the passfile ${path} has no password`,
    remedy:
      'Give the line a password in the template, or remove it: libpq stops at the first line that matches.',
  }),
);

export const passfileWithoutEntry = failure<'path' | 'entry'>(
  'passfile-without-entry',
  'passfile.no-line',
  ({ path, entry }) => ({
    found: `the passfile ${path} has no line for ${entry}`,
    remedy:
      'Add it to --entry (PGPASSD_ENTRIES) or --template of the pgpassd run that writes the file, spelled as the client spells it; if it is there already, restart that pgpassd.',
  }),
);

export const passfileExpired = failure<'line' | 'path' | 'ago'>(
  'passfile-expired',
  'passfile.expired',
  ({ line, path, ago }) => ({
    found: `the token in line ${line} of the passfile ${path} expired ${ago} ago`,
    remedy: 'Check that pgpassd run runs in this pod; its log says why there is no newer token.',
  }),
);

export const passfileExpiring = failure<'line' | 'path' | 'left' | 'minValidity'>(
  'passfile-expiring',
  'passfile.expired',
  ({ line, path, left, minValidity }) => ({
    found: `the token in line ${line} of the passfile ${path} has only ${left} left, but --min-validity requires ${minValidity}`,
    remedy: 'See in the log of pgpassd run when it gets the next token, or lower --min-validity.',
  }),
);

/** What the message about an unready passfile names. */
export interface ReaderContext {
  readonly path: string;
  /** The user who reads the file; `undefined` where users have no numbers. */
  readonly uid: number | undefined;
  readonly nowMs: number;
  readonly minValidityMs: number;
}

/** The reason in words for an operator; its code is `passfile.*`. */
export function explainUnready(unready: Unready, reader: ReaderContext): Failure {
  const { path, nowMs } = reader;
  switch (unready.kind) {
    case 'silent':
      return passfileSilent({ path });
    case 'missing':
      return passfileMissing({ path });
    case 'dangling':
      return passfileDangling({ path });
    case 'not-a-file':
      return passfileNotAFile({ path });
    case 'loose':
      return passfileLoose({ path, mode: octal(unready.mode) });
    case 'unreadable':
      return explainUnreadable(unready, reader);
    case 'too-large':
      return passfileTooLarge({ path });
    case 'no-lines':
      return passfileWithoutLines({ path });
    case 'placeholder':
      return passfileIsTemplate({ path, line: unready.line });
    case 'cut':
      return passfileTokenCut({ path, line: unready.line });
    case 'no-password':
      return passfileWithoutPassword({ path, line: unready.line });
    case 'no-line':
      return passfileWithoutEntry({ path, entry: formatEntry(unready.entry) });
    case 'expired': {
      const { line, expiresAtMs } = unready;
      return passfileExpired({ path, line, ago: duration(nowMs - expiresAtMs) });
    }
    case 'expiring': {
      const minValidity = duration(reader.minValidityMs);
      const { line, expiresAtMs } = unready;
      return passfileExpiring({ path, line, left: duration(expiresAtMs - nowMs), minValidity });
    }
  }
}

function explainUnreadable(
  { code, ownerUid }: Extract<Unready, { readonly kind: 'unreadable' }>,
  { path, uid }: ReaderContext,
): Failure {
  const reader = uid === undefined ? 'this user' : `uid ${uid}`;
  const belonging = ownerUid === undefined ? '' : `; it belongs to uid ${ownerUid}`;
  if (code !== 'EACCES') return passfileUnreadable({ path, reader, belonging, code });
  // Root fails here only without its capabilities; a file is not given to such a user.
  const suggestedUid = uid === undefined || uid === 0 ? '' : ` ${uid}`;
  return passfileForbidden({ path, reader, belonging, uid: suggestedUid });
}

/** As chmod(1) takes it. */
export function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

const unwritable = (
  id: string,
  why: string,
  remedy: string,
  code: ErrorCode = 'passfile.unwritable',
) => aboutPath(id, code, `cannot be written: ${why}`, remedy);

export const volumeFull = unwritable(
  'passfile-volume-full',
  'its volume is full',
  "Raise the emptyDir's sizeLimit or the user's quota, or remove what fills the volume; pgpassd writes as soon as there is room.",
  'passfile.no-space',
);

export const directoryForbidden = unwritable(
  'passfile-directory-forbidden',
  'this user may not write to its directory',
  'Mount a writable emptyDir there, and run pgpassd as a user who may write to it.',
);

export const ownerRefused = unwritable(
  'passfile-owner-refused',
  'this user may not give it the owner that --owner names',
  'Run pgpassd with the same runAsUser as the application instead of using --owner, or as root with the capability CHOWN.',
);

export const modeNotKept = unwritable(
  'passfile-mode-not-kept',
  'its file system does not keep file modes, and libpq ignores a file that others may read',
  'Use an emptyDir, or another volume that keeps file modes.',
);

export const volumeReadOnly = unwritable(
  'passfile-read-only',
  'its file system is read-only',
  'Mount the emptyDir without readOnly in the container of pgpassd; only the application mounts it read-only.',
);

export const directoryMissing = unwritable(
  'passfile-directory-missing',
  'its directory does not exist',
  'Mount the shared emptyDir at that directory, or correct --passfile (PGPASSFILE).',
);

export const directoryIsNone = unwritable(
  'passfile-directory-is-none',
  'a part of its path is not a directory',
  'Correct --passfile (PGPASSFILE).',
);

export const passfileIsDirectory = unwritable(
  'passfile-is-directory',
  'there is a directory in its place',
  'Set --passfile (PGPASSFILE) to a file inside the mounted directory.',
);

export const passfileIsMount = unwritable(
  'passfile-is-mount',
  'it is a mount point itself, so it cannot be replaced',
  'Mount the directory instead of the single file (no subPath).',
);

export const volumeSilent = unwritable(
  'passfile-volume-silent',
  'its volume does not answer',
  USE_MEMORY,
);

export const writeFailed = failure<'path' | 'code'>(
  'passfile-write-failed',
  'passfile.unwritable',
  ({ path, code }) => ({
    found: `the passfile ${path} cannot be written: writing failed (${code})`,
    remedy: 'Check the volume that holds it.',
  }),
);

export const volumeFailing = failure<'path' | 'code'>(
  'passfile-volume-failing',
  'passfile.unavailable',
  ({ path, code }) => ({
    found: `the passfile ${path} cannot be written at the moment (${code})`,
    remedy:
      'Check whether its volume can be reached, and what its server or disk reports; pgpassd writes as soon as it can.',
  }),
);

export const directoryDisturbed = failure<'path' | 'directory'>(
  'passfile-directory-disturbed',
  'passfile.unavailable',
  ({ path, directory }) => ({
    found: `the passfile ${path} cannot be written: another user removes or replaces what pgpassd puts into its directory`,
    remedy: `Mount the volume read-only in every container that does not write to it, and let no other user write to ${directory}.`,
  }),
);

const byCode = {
  ENOSPC: volumeFull,
  EDQUOT: volumeFull,
  EACCES: directoryForbidden,
  EPERM: directoryForbidden,
  EROFS: volumeReadOnly,
  ENOENT: directoryMissing,
  ENOTDIR: directoryIsNone,
  EISDIR: passfileIsDirectory,
  EBUSY: passfileIsMount,
} as const;

/** Errors that pass: of a system short of resources, of network file systems, of damaged disks. */
const TRANSIENT: readonly string[] = [
  ...['EAGAIN', 'EINTR', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
  ...['ECONNABORTED', 'ECONNREFUSED', 'ECONNRESET', 'ENOTCONN', 'ETIMEDOUT'],
  ...['EHOSTDOWN', 'EHOSTUNREACH', 'ENETDOWN', 'ENETUNREACH', 'EREMOTEIO', 'EIO', 'ESTALE'],
];

/** What a failed publication means, by the system's code. */
export function explainWriteError(error: unknown, target: { readonly path: string }): PgpassdError {
  if (error instanceof PgpassdError) return error;
  const { path } = target;
  const code = systemErrorCode(error) ?? 'unknown error';
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  // Other codes do not concern the owner or the mode: the directory may be gone by now, for example.
  const refused = ['EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(code);
  if (refused && syscall === 'lchown') return errorOf(ownerRefused({ path }), { cause: error });
  if (refused && syscall === 'chmod') return errorOf(modeNotKept({ path }), { cause: error });
  return errorOf(explainWriteCode(code, path), { cause: error });
}

/** The same for a failure that has not happened yet, but that `check` foresees. */
export function explainWriteCode(code: string, path: string): Failure {
  const known = Object.hasOwn(byCode, code) ? byCode[code as keyof typeof byCode] : undefined;
  if (known !== undefined) return known({ path });
  return (TRANSIENT.includes(code) ? volumeFailing : writeFailed)({ path, code });
}

export const passfileIsItsTemplate = failure('passfile-same-as-template', 'config.invalid', () => ({
  found: '--template and --passfile (PGPASSFILE) name the same file',
  remedy:
    'Keep the template elsewhere, in a ConfigMap or a Secret: pgpassd replaces the passfile, so its placeholders would be lost.',
}));

export const passfileIsRead = failure<'setting'>(
  'passfile-same-file',
  'config.invalid',
  ({ setting }) => ({
    found: `--passfile (PGPASSFILE) and ${setting} name the same file`,
    remedy:
      'Set --passfile to a separate file, on a volume shared with the clients: pgpassd replaces it.',
  }),
);

export const passfileForeign = failure<'path' | 'objection'>(
  'passfile-foreign',
  'config.invalid',
  ({ path, objection }) => ({
    found: `the passfile ${path} is not replaced, since pgpassd did not write it: ${objection}`,
    remedy: `Set --passfile (PGPASSFILE) to another path; or use the file as a --template, with ${PLACEHOLDER} as the password of each line for the token; or remove it if nothing in it is needed.`,
  }),
);

export const passfileNotKept = failure<'path' | 'objection' | 'kept' | 'reason'>(
  'passfile-not-kept',
  'config.invalid',
  ({ path, objection, kept, reason }) => ({
    found: `the passfile ${path} is not replaced, since pgpassd did not write it (${objection}), and it cannot be kept as ${kept}: ${reason}`,
    remedy: 'Move it to another place, or set --passfile (PGPASSFILE) to another path.',
  }),
);
