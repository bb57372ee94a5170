import { type ChildProcess, spawn } from 'node:child_process';
import { type Clock, withDeadline } from '../support/clock.ts';
import { systemErrorCode } from '../support/errors.ts';
import { Secret } from '../support/secret.ts';
import { type Ending, explainFailure, sanitizeStderr } from './failure.ts';
import type { Argv } from './split.ts';

/** Tokens are a few KB; a command that prints more is the wrong program. */
const LARGEST_STDOUT_BYTES = 1024 * 1024;

/** The rest is read and discarded, so that the command is never blocked. */
const KEPT_STDERR_BYTES = 8 * 1024;

export interface CommandRun {
  readonly argv: Argv;
  /** From the start of the process until it has ended and its output is read. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The environment of our own process when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Called with each line of stderr after a successful run, fit for the log. */
  readonly onStderr?: (line: string) => void;
  /** What stderr is redacted with, in addition to what this run prints on stdout. */
  readonly secrets?: readonly Secret[];
}

/**
 * Runs a command without a shell and gives what it printed on stdout, which holds a token and is passed
 * on nowhere else. The command leads a process group of its own; the whole group is killed at the
 * deadline, when it prints too much, and when `signal` aborts. Settles when the command has ended.
 *
 * @throws PgpassdError `token-command.failed`, or the reason of `signal`
 */
export async function runTokenCommand(run: CommandRun): Promise<string> {
  const { argv, deadlineMs, clock, signal, env, onStderr, secrets = [] } = run;
  signal.throwIfAborted();
  const { ending, stdout, stderr } = await withDeadline(clock, deadlineMs, signal, (attempt) =>
    runToEnd(argv, env, attempt),
  );
  if (ending.kind === 'stopped') signal.throwIfAborted();

  const stderrLines = sanitizeStderr(stderr, [new Secret(stdout.trim()), ...secrets]);
  if (ending.kind !== 'ended' || ending.code !== 0) {
    // A pgpassd that is stopping starts no more processes.
    const shortage =
      ending.kind === 'ended' && !signal.aborted ? await lookForShortage() : undefined;
    throw explainFailure({ program: argv[0], ending, deadlineMs, stderrLines, shortage });
  }
  for (const line of stderrLines) onStderr?.(line);
  return stdout;
}

interface EndedRun {
  readonly ending: Ending;
  readonly stdout: string;
  readonly stderr: string;
}

function runToEnd(
  [program, ...args]: Argv,
  env: CommandRun['env'],
  signal: AbortSignal,
): Promise<EndedRun> {
  return new Promise((resolve) => {
    const stdout = new BoundedText(LARGEST_STDOUT_BYTES);
    const stderr = new BoundedText(KEPT_STDERR_BYTES);
    const finish = (ending: Ending) => {
      signal.removeEventListener('abort', stop);
      resolve({ ending: killed ?? ending, stdout: stdout.read(), stderr: stderr.read() });
    };
    const notStarted = (error: unknown) =>
      finish({ kind: 'not-started', systemCode: systemErrorCode(error) ?? 'unknown error' });
    let killed: Ending | undefined;
    const kill = (why: Ending) => {
      killed ??= why;
      if (!killGroup(child)) finish(why);
    };
    const stop = () => kill({ kind: 'stopped' });

    let child: ChildProcess;
    try {
      child = start(program, args, env);
    } catch (error) {
      notStarted(error);
      return;
    }
    child.once('error', notStarted);
    child.once('close', (code, exitSignal) => finish({ kind: 'ended', code, signal: exitSignal }));
    // Both are absent if the command was not started for want of file descriptors.
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!stdout.add(chunk)) kill({ kind: 'flooded' });
    });
    child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
    signal.addEventListener('abort', stop, { once: true });
  });
}

function start(program: string, args: readonly string[], env: CommandRun['env']): ChildProcess {
  return spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(env !== undefined && { env }),
  });
}

/**
 * Whether there is an end to wait for: not when the group is empty (ESRCH), nor when it runs as another
 * user, which we may not kill (EPERM).
 */
function killGroup(child: ChildProcess): boolean {
  // A child that left the group may keep the pipes open for ever.
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.pid === undefined) return true;
  try {
    return process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.unref();
    return false;
  }
}

/** The beginning of a stream. */
class BoundedText {
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether all of it fitted. */
  add(chunk: Buffer): boolean {
    const room = this.#limitBytes - this.#bytes;
    if (room > 0) this.#chunks.push(chunk.subarray(0, room));
    this.#bytes = Math.min(this.#bytes + chunk.length, this.#limitBytes);
    return chunk.length <= room;
  }

  read(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** As many as a script with a pipeline of programs runs at once, or Node.js has threads. */
const PROCESSES = 8;

/**
 * The system's code, such as `EAGAIN`, when a few processes cannot be started at once; `undefined` when
 * they can. A command that cannot start processes of its own reports that in its own words: at a limit
 * of processes a shell may still start, and then fail.
 *
 * Takes some milliseconds. Each process is killed as soon as it is started, before it does anything;
 * all of them are started in one turn of the event loop, and are reaped in the next. A program that does
 * not exist would be cheaper still, but libuv reaps such a process at once.
 */
async function lookForShortage(): Promise<string | undefined> {
  for (let count = 0; count < PROCESSES; count += 1) {
    const failure = startProcess();
    if (failure !== undefined) return await failure;
  }
  return undefined;
}

/** The system's code when the process is not started. */
function startProcess(): Promise<string> | undefined {
  const codeOf = (error: unknown) => systemErrorCode(error) ?? 'unknown error';
  try {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore', env: {} });
    const failure = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(codeOf(error)));
    });
    if (child.pid === undefined) return failure;
    child.kill('SIGKILL');
    return undefined;
  } catch (error) {
    return Promise.resolve(codeOf(error));
  }
}
