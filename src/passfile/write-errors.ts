import { dirname } from 'node:path';
import { PgpassdError, systemErrorCode } from '../support/errors.ts';
import { errorOf, type Failure } from '../support/failure.ts';
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

function causeOf(error: unknown, path: string): Failure {
  const code = systemErrorCode(error) ?? 'unknown error';
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  // Else it is no matter of owners and modes: the directory has gone meanwhile, for one.
  const refused = ['EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(code);
  if (refused && syscall === 'lchown') return causes.ownerRefused({ path });
  if (refused && syscall === 'chmod') return causes.modeNotKept({ path });
  return explainWriteCode(code, path);
}

/** The same for a failure that is only foreseen. */
export function explainWriteCode(code: string, path: string): Failure {
  const known = Object.hasOwn(byCode, code) ? byCode[code as keyof typeof byCode] : undefined;
  if (known !== undefined) return known({ path });
  const failure = passing.includes(code) ? causes.volumeFailing : causes.writeFailed;
  return failure({ path, code, directory: dirname(path) });
}
