import { dirname } from 'node:path';
import { type ErrorCode, PgpassdError, systemErrorCode } from '../support/errors.ts';

interface Reading {
  readonly code: Extract<ErrorCode, `passfile.${string}`>;
  readonly what: string;
  readonly remedy: string;
}

const noSpace: Reading = {
  code: 'passfile.no-space',
  what: 'its volume is full',
  remedy:
    "Raise the emptyDir's sizeLimit or remove what fills it; pgpassd writes as soon as there is room.",
};
const notAllowed: Reading = {
  code: 'passfile.unwritable',
  what: 'its directory is not writable for this user',
  remedy: 'Mount a writable emptyDir there and let pgpassd run as a user who may write to it.',
};

const notGiven: Reading = {
  code: 'passfile.unwritable',
  what: 'it cannot be given to the owner asked for',
  remedy:
    'Run pgpassd with the same runAsUser as the application instead of --owner, or grant it the capability CHOWN.',
};

const notKept: Reading = {
  code: 'passfile.unwritable',
  what: 'its file system does not keep the mode, and libpq ignores a file that others may read',
  remedy: 'Use an emptyDir, or another volume that keeps the modes of files.',
};

const readings: Readonly<Record<string, Reading>> = {
  ENOSPC: noSpace,
  EDQUOT: noSpace,
  EACCES: notAllowed,
  EPERM: notAllowed,
  EROFS: {
    code: 'passfile.unwritable',
    what: 'its file system is read-only',
    remedy:
      'Mount the emptyDir without readOnly in the container of pgpassd; only the application mounts it read-only.',
  },
  ENOENT: {
    code: 'passfile.unwritable',
    what: 'its directory does not exist',
    remedy: 'Mount the shared emptyDir at that directory, or correct --passfile (PGPASSFILE).',
  },
  ENOTDIR: {
    code: 'passfile.unwritable',
    what: 'its directory is not a directory',
    remedy: 'Correct --passfile (PGPASSFILE).',
  },
  EISDIR: {
    code: 'passfile.unwritable',
    what: 'a directory stands in its place',
    remedy: 'Name a file inside the mounted directory with --passfile (PGPASSFILE).',
  },
  EBUSY: {
    code: 'passfile.unwritable',
    what: 'it is a mount point of its own, so it cannot be replaced',
    remedy: 'Mount the directory instead of the single file (no subPath).',
  },
};

/** What a failed publication means, by the system's code. */
export function explainWriteError(error: unknown, target: { readonly path: string }): PgpassdError {
  if (error instanceof PgpassdError) return error;
  const reading = read(error, dirname(target.path));
  return new PgpassdError(
    reading.code,
    `the passfile ${target.path} cannot be written: ${reading.what}`,
    reading.remedy,
    { cause: error },
  );
}

function read(error: unknown, directory: string): Reading {
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  if (syscall === 'chown') return notGiven;
  if (syscall === 'chmod') return notKept;
  const code = systemErrorCode(error) ?? 'unknown error';
  return (
    readings[code] ?? {
      code: 'passfile.unwritable',
      what: `writing failed (${code})`,
      remedy: `Look at the volume behind ${directory}.`,
    }
  );
}
