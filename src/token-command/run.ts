import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../support/clock.ts';
import { withDeadline } from '../support/deadline.ts';
import { systemErrorCode } from '../support/errors.ts';
import { Secret } from '../support/secret.ts';
import { type Ending, explainFailure } from './failure.ts';
import { lookForShortage } from './shortage.ts';
import type { Argv } from './split.ts';
import { presentableLines } from './stderr.ts';

/** Tokens are a few KB; whatever prints more is the wrong program. */
const LARGEST_STDOUT_BYTES = 1024 * 1024;

/** What follows is read, so that the command does not wait for us, and dropped. */
const KEPT_STDERR_BYTES = 8 * 1024;

export interface CommandRun {
  readonly argv: Argv;
  /** From the start to the end of the process and of all it prints. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The environment of our own process, unless told otherwise. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Hears each line of stderr after a successful run, fit for the log. */
  readonly onStderr?: (line: string) => void;
  /** What stderr is cleared of, besides what this run prints on stdout. */
  readonly secrets?: readonly Secret[];
}

/**
 * Runs a command without a shell and gives what it printed on stdout, which holds a token and goes
 * nowhere else. The command leads a process group of its own; at the deadline, when it prints too
 * much, and when `signal` aborts, the whole group is killed. Settles when the command is gone.
 *
 * @throws PgpassdError `token-command.failed`, or the reason of `signal`
 */
export async function runTokenCommand(run: CommandRun): Promise<string> {
  const { argv, deadlineMs, clock, signal, env, onStderr, secrets = [] } = run;
  signal.throwIfAborted();
  const { ending, stdout, stderr } = await withDeadline(clock, deadlineMs, signal, (attempt) =>
    runToItsEnd(argv, env, attempt),
  );
  if (ending.kind === 'stopped') signal.throwIfAborted();

  const stderrLines = presentableLines(stderr, [new Secret(stdout.trim()), ...secrets]);
  if (ending.kind !== 'ended' || ending.code !== 0) {
    // Whoever is asked to stop starts nothing more.
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

function runToItsEnd(
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
    // Neither is there when the limit of open files kept the command from being started.
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
 * Whether there is an end to wait for: not when nobody of the group is left (ESRCH), nor when it
 * runs as another user, whom we may not kill (EPERM).
 */
function killGroup(child: ChildProcess): boolean {
  // A child that left the group may hold the pipes for good; nobody listens any more.
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

  /** Whether all of it found room. */
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
