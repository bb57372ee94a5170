import { loadCommand, parseCommandLine } from '../../src/cli.ts';
import type { Environment } from '../../src/config/option.ts';
import { secretsIn } from '../../src/config/secrets.ts';
import { asPgpassdError, exitCodeOf } from '../../src/support/errors.ts';
import { sanitize } from '../../src/support/text.ts';

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
  const env = { PATH: process.env['PATH'], ...given };
  const stop = new AbortController();
  onTestFinished(() => stop.abort(143));
  const secrets = secretsIn(args, env);
  const printed = { stdout: '', stderr: '' };
  const printToStderr = (sentence: string) => {
    printed.stderr += `pgpassd: ${sanitize(sentence, secrets)}\n`;
  };
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
      print: (text) => {
        printed.stdout += text;
      },
      openLog: async () => ({
        log: (line) => {
          printed.stdout += `${JSON.stringify(line)}\n`;
        },
        close: async () => {},
      }),
      printToStderr,
      secrets,
      signal: stop.signal,
      onHangup: () => {},
    });
  };
  const exitCode = await run().catch((thrown: unknown) => {
    const error = asPgpassdError(thrown);
    for (const line of [...error.message.split('\n'), error.remedy]) printToStderr(line);
    return exitCodeOf(error.code);
  });
  return { exitCode, ...printed };
}
