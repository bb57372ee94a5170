import { help, loadCommand, parseCommandLine, succeedsWhenStopped } from './cli.ts';
import { type CommandContext, SHUTDOWN_MS } from './commands/command.ts';
import { secretsIn } from './config/secrets.ts';
import { untilAborted } from './support/clock.ts';
import { asPgpassdError, exitCodeOf, systemErrorCode } from './support/errors.ts';
import type { Secret } from './support/secret.ts';
import { sanitize } from './support/text.ts';
import { VERSION } from './version.ts';

/** What the program gets from its process, and how it says how the process is to end. */
export interface ProcessEdge extends Pick<CommandContext, 'signal' | 'onHangup'> {
  /** From now on, being stopped is a success. */
  readonly succeedWhenStopped: () => void;
  /** Registers what reports an uncaught exception; it returns the exit code. */
  readonly onCrash: (listener: (thrown: unknown) => number) => void;
}

/** Does what the command line asks for. Resolves with the exit code when all output is written. */
export async function runProgram({ onCrash, ...edge }: ProcessEdge): Promise<number> {
  const [stdout, stderr] = [new Output(process.stdout), new Output(process.stderr)];
  const secrets = secretsIn(process.argv.slice(2), process.env);
  const print = (text: string) => stdout.write(text);
  const printToStderr = (sentence: string) =>
    stderr.write(`pgpassd: ${sanitize(sentence, secrets)}\n`);
  replaceWarnings(printToStderr);
  const reportFailure = (thrown: unknown): number => {
    const error = asPgpassdError(thrown);
    for (const line of error.message.split('\n')) printToStderr(line);
    printToStderr(error.remedy);
    if (error.code === 'internal' && error.cause instanceof Error) {
      for (const line of String(error.cause.stack).split('\n')) printToStderr(line);
    }
    return exitCodeOf(error.code);
  };
  onCrash(reportFailure);
  const exitCode = await invoke({ ...edge, print, printToStderr, secrets }).catch(reportFailure);
  return await flush(exitCode, { stdout, stderr, printToStderr, signal: edge.signal });
}

interface InvocationContext
  extends Omit<ProcessEdge, 'onCrash'>,
    Pick<CommandContext, 'print' | 'printToStderr'> {
  readonly secrets: readonly Secret[];
}

async function invoke({ succeedWhenStopped, ...edge }: InvocationContext): Promise<number> {
  const invocation = parseCommandLine(process.argv.slice(2));
  if (invocation.kind !== 'command') {
    edge.print(invocation.kind === 'help' ? help(invocation.command) : `${VERSION}\n`);
    return 0;
  }
  if (succeedsWhenStopped(invocation.command)) succeedWhenStopped();
  const command = await loadCommand(invocation.command);
  return await command({
    flags: invocation.flags,
    rest: invocation.rest,
    env: process.env,
    terminal: process.stdout.isTTY,
    columns: process.stdout.columns,
    openLog: async (settings) => (await import('./observe/log.ts')).createLog(settings),
    ...edge,
  });
}

interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly printToStderr: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** A reader of the result may take as long as it likes, until a signal ends the wait. */
async function flush(
  exitCode: number,
  { stdout, stderr, printToStderr, signal }: Outputs,
): Promise<number> {
  if (stdout.isBusy) await untilAborted(stdout.written(), signal);
  if (stdout.isBusy) return signal.reason;
  // A reader may close its end when it has seen enough.
  const isLost = stdout.failure !== undefined && stdout.failure !== 'EPIPE';
  if (isLost) printToStderr(`standard output cannot be written (${stdout.failure})`);
  if (stderr.isBusy) await untilAborted(stderr.written(), AbortSignal.timeout(SHUTDOWN_MS));
  return isLost ? exitCode || exitCodeOf('internal') : exitCode;
}

/** Replaces Node's own lines: a warning may quote a variable that holds a token. */
function replaceWarnings(printToStderr: (sentence: string) => void): void {
  // With --no-warnings there is no listener to replace.
  if (process.listenerCount('warning') === 0) return;
  process.removeAllListeners('warning').on('warning', ({ message }) => {
    printToStderr(`Node.js warns: ${message}`);
  });
}

/** The part of a standard stream that is used here. */
interface Stream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
}

/**
 * A standard stream that knows whether everything is written. Node.js writes to a pipe as much as fits at
 * once, and drops the rest when the process ends.
 */
class Output {
  readonly #stream: Stream;
  #pending = 0;
  #written: PromiseWithResolvers<void> | undefined;
  #failure: string | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    // Each write gets its own error; without a listener the stream would also throw it.
    stream.on('error', () => undefined);
  }

  /** Whether something is not written yet. */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  /** The system's code of the first error of a write, such as `ENOSPC`. */
  get failure(): string | undefined {
    return this.#failure;
  }

  write(text: string): void {
    this.#pending += 1;
    this.#stream.write(text, (error) => {
      if (error) this.#failure ??= systemErrorCode(error) ?? 'unknown error';
      this.#pending -= 1;
      if (!this.isBusy) this.#written?.resolve();
    });
  }

  /** Resolves when everything is written, or has failed. */
  async written(): Promise<void> {
    if (!this.isBusy) return;
    this.#written ??= Promise.withResolvers();
    await this.#written.promise;
  }
}
