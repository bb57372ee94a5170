import { loadCommand, parseCommandLine } from '../../src/cli.ts';
import type { CommandContext } from '../../src/commands/command.ts';
import type { Environment } from '../../src/config/option.ts';
import { secretsIn } from '../../src/config/secrets.ts';
import type { Log, LogLine as Logged } from '../../src/observe/log.ts';
import { asPgpassdError, exitCodeOf } from '../../src/support/errors.ts';
import { sanitize } from '../../src/support/text.ts';
import type { OnTestFinished } from './clean-up.ts';
import { observe, type Pgpassd } from './pgpassd-process.ts';

export interface EndedHere {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Does in this process what the program does with a command line and these variables alone, and collects
 * what it prints: a twentieth of the work where nothing of the process itself is tested.
 */
export async function commandHere(
  args: readonly string[],
  given: Environment,
  onTestFinished: (cleanUp: () => void) => void,
): Promise<EndedHere> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort(143));
  const printed = { stdout: '', stderr: '' };
  const exitCode = await runHere(args, given, {
    print: (text) => {
      printed.stdout += text;
    },
    printToStderr: (text) => {
      printed.stderr += text;
    },
    log: (line) => {
      printed.stdout += `${JSON.stringify(line)}\n`;
    },
    signal: stop.signal,
    onHangup: () => {},
  });
  return { exitCode, ...printed };
}

type Edge = Pick<CommandContext, 'print' | 'printToStderr' | 'signal' | 'onHangup'> & {
  readonly log: Log;
};

/** Resolves with the exit code. */
async function runHere(
  args: readonly string[],
  given: Environment,
  { log, printToStderr: write, ...edge }: Edge,
): Promise<number> {
  const env = { PATH: process.env['PATH'], ...given };
  const secrets = secretsIn(args, env);
  const printToStderr = (sentence: string) => write(`pgpassd: ${sanitize(sentence, secrets)}\n`);
  const run = async (): Promise<number> => {
    const invocation = parseCommandLine(args);
    if (invocation.kind !== 'command') throw new Error(`not a command: ${args.join(' ')}`);
    const command = await loadCommand(invocation.command);
    return command({
      flags: invocation.flags,
      rest: invocation.rest,
      env,
      terminal: false,
      columns: undefined,
      openLog: async () => ({ log, close: async () => {} }),
      printToStderr,
      secrets,
      ...edge,
    });
  };
  return run().catch((thrown: unknown) => {
    const error = asPgpassdError(thrown);
    for (const line of [...error.message.split('\n'), error.remedy]) printToStderr(line);
    return exitCodeOf(error.code);
  });
}

export interface HereOptions {
  readonly args: readonly string[];
  readonly env: Environment;
  readonly onTestFinished: OnTestFinished;
}

/** What `startPgpassd` gives, except for what only a process has. */
export type PgpassdHere = Omit<Pgpassd, 'pid' | 'signal'> & {
  readonly signal: (name: 'SIGHUP' | 'SIGTERM') => void;
};

/** As `startPgpassd`, but in this process: see `commandHere`. Its log is whole, and always JSON. */
export function startHere({ args, env, onTestFinished }: HereOptions): PgpassdHere {
  const observed = observe();
  const stop = new AbortController();
  let hangUp = () => {};
  const printLine = ({ level, event, message, fields }: Logged) =>
    observed.onLine(
      JSON.stringify({ level, time: new Date().toISOString(), event, ...fields, msg: message }),
    );
  const running = runHere(args, env, {
    print: (text) => {
      for (const line of text.replace(/\n$/, '').split('\n')) observed.onLine(line);
    },
    printToStderr: observed.onStderr,
    log: printLine,
    signal: stop.signal,
    onHangup: (listener) => {
      hangUp = listener;
    },
  });
  const exited = running.then((code) => observed.onExit({ code, signal: null }));
  onTestFinished(async () => {
    stop.abort(143);
    await exited;
  });
  return {
    ...observed.seen,
    signal: (name) => (name === 'SIGHUP' ? hangUp() : stop.abort(143)),
    exited,
  };
}
