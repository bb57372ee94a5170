import { dirname } from 'node:path';
import { errorOf, type Told, tell } from '../support/cause.ts';
import { PgpassdError, systemErrorCode } from '../support/errors.ts';
import * as causes from './causes.ts';

const byCode = {
  ENOSPC: causes.volumeFull,
  EDQUOT: causes.volumeFull,
  EACCES: causes.directoryForbidden,
  EPERM: causes.directoryForbidden,
  EROFS: causes.volumeReadOnly,
  ENOENT: causes.directoryMissing,
  ENOTDIR: causes.directoryIsNone,
  EISDIR: causes.passfileIsDirectory,
  EBUSY: causes.passfileIsMount,
} as const;

/** What ends by itself: of network file systems and damaged disks, and of a system that is short of something. */
const passing: readonly string[] = [
  'EAGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EINTR',
  'EIO',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'ENOTCONN',
  'EREMOTEIO',
  'ESTALE',
  'ETIMEDOUT',
];

/** What a failed publication means, by the system's code. */
export function explainWriteError(error: unknown, target: { readonly path: string }): PgpassdError {
  if (error instanceof PgpassdError) return error;
  return errorOf(causeOf(error, target.path), { cause: error });
}

function causeOf(error: unknown, path: string): Told {
  const code = systemErrorCode(error) ?? 'unknown error';
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  // Else it is no matter of owners and modes: the directory has gone meanwhile, for one.
  const refused = ['EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(code);
  if (refused && syscall === 'lchown') return tell(causes.ownerRefused, { path });
  if (refused && syscall === 'chmod') return tell(causes.modeNotKept, { path });
  return explainWriteCode(code, path);
}

/** The same for a failure that is only foreseen. */
export function explainWriteCode(code: string, path: string): Told {
  const known = Object.hasOwn(byCode, code) ? byCode[code as keyof typeof byCode] : undefined;
  if (known !== undefined) return tell(known, { path });
  const failure = passing.includes(code) ? causes.volumeFailing : causes.writeFailed;
  return tell(failure, { path, code, directory: dirname(path) });
}
