import { help, isDoneWhenStopped, loadCommand, parseCommandLine } from './cli.ts';
import type { CommandContext } from './commands/command.ts';
import { secretsIn } from './config/secrets-in.ts';
import { exitCodeOf } from './exit-codes.ts';
import { Outlet } from './outlet.ts';
import { untilAborted } from './support/deadline.ts';
import { asPgpassdError } from './support/failure.ts';
import type { Secret } from './support/secret.ts';
import { SHUTDOWN_MS } from './support/shutdown.ts';
import { sanitize } from './support/text.ts';
import { VERSION } from './version.ts';

/** What the program hears of its process. */
export interface ProcessEdge extends Pick<CommandContext, 'signal' | 'onHangup'> {
  /** Called when being stopped is how the command ends: then it ends with 0. */
  readonly onStopIsSuccess: () => void;
  /** Registers who tells what was thrown where nobody caught it, and says with which code to end. */
  readonly onCrash: (listener: (thrown: unknown) => number) => void;
}

/** Does what the command line asks for. Resolves with the exit code when everything printed is out. */
export async function runProgram({ onCrash, ...edge }: ProcessEdge): Promise<number> {
  const [result, words] = [new Outlet(process.stdout), new Outlet(process.stderr)];
  const secrets = secretsIn(process.argv.slice(2), process.env);
  const tell = (sentence: string) => words.write(`pgpassd: ${sanitize(sentence, secrets)}\n`);
  const print = (text: string) => result.write(text);
  tellWarnings(tell);
  const tellFailure = (thrown: unknown): number => {
    const error = asPgpassdError(thrown);
    for (const line of error.message.split('\n')) tell(line);
    tell(error.remedy);
    if (error.code === 'internal' && error.cause instanceof Error) {
      for (const line of String(error.cause.stack).split('\n')) tell(line);
    }
    return exitCodeOf(error.code);
  };
  onCrash(tellFailure);
  const exitCode = await invoke({ ...edge, print, tell, secrets }).catch(tellFailure);
  return await finish(exitCode, { result, words, tell, signal: edge.signal });
}

interface Invocation extends Omit<ProcessEdge, 'onCrash'>, Pick<CommandContext, 'print' | 'tell'> {
  readonly secrets: readonly Secret[];
}

async function invoke({ onStopIsSuccess, ...edge }: Invocation): Promise<number> {
  const invocation = parseCommandLine(process.argv.slice(2));
  if (invocation.kind !== 'command') {
    edge.print(invocation.kind === 'help' ? help(invocation.command) : `${VERSION}\n`);
    return 0;
  }
  if (isDoneWhenStopped(invocation.command)) onStopIsSuccess();
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

interface Ending {
  readonly result: Outlet;
  readonly words: Outlet;
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** A reader of the result may take as long as it likes, until a signal ends that. */
async function finish(exitCode: number, { result, words, tell, signal }: Ending): Promise<number> {
  if (result.busy) await untilAborted(result.done(), signal);
  if (result.busy) return signal.reason;
  // A reader who has seen enough goes away: that is its own affair.
  const lost = result.failure !== undefined && result.failure !== 'EPIPE';
  if (lost) tell(`standard output cannot be written (${result.failure})`);
  if (words.busy) await untilAborted(words.done(), AbortSignal.timeout(SHUTDOWN_MS));
  return lost ? exitCode || exitCodeOf('internal') : exitCode;
}

/** In place of Node's own lines: a warning may quote a variable that holds a token. */
function tellWarnings(tell: (sentence: string) => void): void {
  // With --no-warnings there is no listener to replace.
  if (process.listenerCount('warning') === 0) return;
  process.removeAllListeners('warning').on('warning', ({ message }) => {
    tell(`Node.js warns: ${message}`);
  });
}
