import { access, constants, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../config/given.ts';
import { PgpassdError, systemErrorCode } from '../support/errors.ts';
import { programName, sanitizeValue } from '../support/text.ts';

/** A program to become. */
export interface Program {
  readonly file: string;
  /** Its name as it was given, then its arguments. */
  readonly argv: readonly string[];
}

/** What execvp(3) searches where PATH is not set. */
const DEFAULT_PATH = '/bin:/usr/bin';

/**
 * Looks the first of `argv` up as execvp(3) does: along PATH, where an empty element is the current
 * directory, unless it has a slash.
 *
 * @throws PgpassdError `config.invalid` when there is no such program, or none that can run here
 */
export async function findProgram(
  argv: readonly string[],
  searchPath = DEFAULT_PATH,
): Promise<Program> {
  const [name = ''] = argv;
  if (name === '') {
    throw unusable('no program follows --', 'Write pgpassd wait -- PROGRAM ARGUMENT ...');
  }
  const files = name.includes('/')
    ? [name]
    : searchPath.split(':').map((directory) => join(directory, name));
  let barred = false;
  for (const file of files) {
    const standing = await standingOf(file);
    if (standing === 'executable') {
      await assertLoadable(file, name);
      return { file, argv };
    }
    if (standing === 'barred') barred = true;
  }
  throw barred
    ? unusable(
        `${programName(name)} may not be executed by this user`,
        'See to its mode and owner.',
      )
    : unusable(
        `${programName(name)} is not in this image`,
        'Name a program by its path, or by a name along PATH.',
      );
}

/** A directory of PATH that this user may not search says nothing about the program. */
async function standingOf(file: string): Promise<'absent' | 'barred' | 'executable'> {
  const stats = await stat(file).catch(() => undefined);
  if (stats === undefined) return 'absent';
  if (!stats.isFile()) return 'barred';
  return await access(file, constants.X_OK).then(
    () => 'executable',
    () => 'barred',
  );
}

/** As much of a file as the system reads to learn how to run it. */
const HEAD_BYTES = 256;

/**
 * Refuses scripts that the system would refuse: where `process.execve` fails, Node 24 aborts. Programs
 * for another machine, or without their loader, are left to that.
 *
 * @throws PgpassdError `config.invalid`
 */
async function assertLoadable(file: string, name: string): Promise<void> {
  const head = await headOf(file);
  if (head === undefined || head.includes('\0')) return;
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(head)?.[1];
  if (interpreter === undefined) {
    throw unusable(
      `${programName(name)} is neither a program nor a script that names its interpreter`,
      'Begin it with #! and the path of its interpreter.',
    );
  }
  await access(interpreter, constants.X_OK).catch((error: unknown) => {
    throw unusable(
      `${programName(name)} is a script for ${sanitizeValue(interpreter)}, which cannot be executed here`,
      'Add the interpreter to the image, or name a program that needs none.',
      error,
    );
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
 * Becomes the program: same process, same standard streams, so that signals and the exit code are
 * its own. Returns only by throwing.
 *
 * @throws PgpassdError `config.invalid` when the system refuses
 */
export function handOver({ file, argv }: Program, env: Environment): never {
  giveBackSignals();
  giveBackStreams();
  try {
    process.execve?.(file, argv, env);
  } catch (error) {
    throw unusable(
      `${programName(argv[0] ?? '')} cannot be executed (${systemErrorCode(error) ?? 'unknown error'})`,
      'See whether it is built for this machine and finds its loader in this image.',
      error,
    );
  }
  throw unusable('no program can follow on this system', 'Leave -- and the program out.');
}

/**
 * Node ignores these two, and what is ignored stays ignored in the next program, which then would not
 * end when its reader does. What has a handler starts there with the default: execve(2).
 */
function giveBackSignals(): void {
  for (const name of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(name, () => {});
}

/**
 * Node makes its standard streams non-blocking where they are pipes, for everybody who shares them;
 * most programs fail at such a pipe when it is full. Node undoes it at its exit, but not here.
 */
function giveBackStreams(): void {
  for (const { _handle } of [process.stdout, process.stderr] as readonly WithHandle[]) {
    _handle?.setBlocking?.(true);
  }
}

/** The only way to it that Node has: https://github.com/nodejs/node/issues/14752 */
interface WithHandle {
  readonly _handle?: { readonly setBlocking?: (blocking: boolean) => unknown } | null;
}

function unusable(what: string, remedy: string, cause?: unknown): PgpassdError {
  return new PgpassdError('config.invalid', what, remedy, { cause });
}
