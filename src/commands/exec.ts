import { access, constants, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../config/option.ts';
import { errorOf, failure, systemErrorCode } from '../support/errors.ts';
import { programName, sanitizeValue } from '../support/text.ts';

/** A program to execute. */
export interface Program {
  readonly file: string;
  /** Its name as it was given, then its arguments. */
  readonly argv: readonly string[];
}

/** Searched by execvp(3) when PATH is not set. */
const DEFAULT_PATH = '/bin:/usr/bin';

/**
 * Finds the program `argv[0]` as execvp(3) does: along PATH, where an empty element is the current
 * directory, unless the name contains a slash.
 *
 * @throws PgpassdError `config.invalid` when there is no such program, or none that can run here
 */
export async function findProgram(
  argv: readonly string[],
  searchPath = DEFAULT_PATH,
): Promise<Program> {
  const [name = ''] = argv;
  if (name === '') throw errorOf(programNotGiven());
  const files = name.includes('/')
    ? [name]
    : searchPath.split(':').map((directory) => join(directory, name));
  let forbidden = false;
  for (const file of files) {
    const permission = await permissionOf(file);
    if (permission === 'executable') {
      await assertLoadable(file, name);
      return { file, argv };
    }
    if (permission === 'forbidden') forbidden = true;
  }
  const program = programName(name);
  throw errorOf(forbidden ? programForbidden({ program }) : programMissing({ program }));
}

/** Files in a directory of PATH that this user may not search count as absent. */
async function permissionOf(file: string): Promise<'absent' | 'forbidden' | 'executable'> {
  const stats = await stat(file).catch(() => undefined);
  if (stats === undefined) return 'absent';
  if (!stats.isFile()) return 'forbidden';
  return await access(file, constants.X_OK).then(
    () => 'executable',
    () => 'forbidden',
  );
}

/** As much of a file as the system reads to learn how to run it. */
const HEAD_BYTES = 256;

/**
 * Refuses scripts that the system would refuse, since Node.js 24 aborts when `process.execve` fails.
 * Programs for another machine, or without their loader, are not detected.
 *
 * @throws PgpassdError `config.invalid`
 */
async function assertLoadable(file: string, name: string): Promise<void> {
  const head = await headOf(file);
  if (head === undefined || head.includes('\0')) return;
  const program = programName(name);
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(head)?.[1];
  if (interpreter === undefined) throw errorOf(programWithoutInterpreter({ program }));
  await access(interpreter, constants.X_OK).catch((error: unknown) => {
    const unusable = { program, interpreter: sanitizeValue(interpreter) };
    throw errorOf(interpreterUnusable(unusable), { cause: error });
  });
}

/** `undefined` for a program that may be executed but not read. */
async function headOf(file: string): Promise<string | undefined> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(HEAD_BYTES) });
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * Replaces this process by the program, with the same process id and standard streams, so that signals
 * and the exit code are the program's own. Returns only by throwing.
 *
 * @throws PgpassdError `config.invalid` when the system refuses
 */
export function exec({ file, argv }: Program, env: Environment): never {
  restoreSignals();
  restoreStreams();
  try {
    process.execve?.(file, argv, env);
  } catch (error) {
    const program = programName(argv[0] ?? '');
    const code = systemErrorCode(error) ?? 'unknown error';
    throw errorOf(execFailed({ program, code }), { cause: error });
  }
  throw errorOf(execUnsupported());
}

/**
 * Node.js ignores these two signals, and an ignored signal stays ignored in the next program, which then
 * would not end when its reader does. A signal with a handler is reset to its default: see execve(2).
 */
function restoreSignals(): void {
  for (const name of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(name, () => {});
}

/**
 * Node.js makes its standard streams non-blocking if they are pipes, for every process that shares them,
 * and most programs fail to write to such a pipe when it is full. Node.js undoes that when it exits, but
 * not here.
 */
function restoreStreams(): void {
  for (const { _handle } of [process.stdout, process.stderr] as readonly WithHandle[]) {
    _handle?.setBlocking?.(true);
  }
}

/** Node.js has no public interface for it: https://github.com/nodejs/node/issues/14752 */
interface WithHandle {
  readonly _handle?: { readonly setBlocking?: (blocking: boolean) => unknown } | null;
}

export const programNotGiven = failure('program-not-given', 'config.invalid', () => ({
  found: 'no program follows --',
  remedy: 'Write pgpassd wait -- PROGRAM ARGUMENT ...',
}));

export const programMissing = failure<'program'>(
  'program-missing',
  'config.invalid',
  ({ program }) => ({
    found: `${program} was not found`,
    remedy: 'Give the path of a program, or the name of one in a directory of PATH.',
  }),
);

export const programForbidden = failure<'program'>(
  'program-forbidden',
  'config.invalid',
  ({ program }) => ({
    found: `${program} is not executable by this user`,
    remedy: 'Check the mode and owner of the file, and noexec on its mount.',
  }),
);

export const programWithoutInterpreter = failure<'program'>(
  'program-without-interpreter',
  'config.invalid',
  ({ program }) => ({
    found: `${program} is neither a binary nor a script that names its interpreter`,
    remedy: 'Begin the script with #! and the path of its interpreter.',
  }),
);

export const interpreterUnusable = failure<'program' | 'interpreter'>(
  'program-interpreter-unusable',
  'config.invalid',
  ({ program, interpreter }) => ({
    found: `${program} is a script for ${interpreter}, which cannot be executed here`,
    remedy: 'Install the interpreter, or use a program that needs none.',
  }),
);

export const execFailed = failure<'program' | 'code'>(
  'program-exec-failed',
  'config.invalid',
  ({ program, code }) => ({
    found: `${program} cannot be executed (${code})`,
    remedy: 'Check that it is built for this machine, and that its dynamic loader is installed.',
  }),
);

export const execUnsupported = failure('exec-unsupported', 'config.invalid', () => ({
  found: 'this system cannot replace a process by another program',
  remedy: 'Run pgpassd wait without -- PROGRAM, and start the program after it.',
}));
