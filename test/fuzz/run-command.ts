import { loadCommand, parseCommandLine } from '../../src/cli.ts';
import type { Environment } from '../../src/config/option.ts';
import { secretsIn } from '../../src/config/secrets.ts';
import type { LogLine } from '../../src/observe/log.ts';
import { asPgpassdError, type ErrorCode } from '../../src/support/errors.ts';
import { sanitize } from '../../src/support/text.ts';

export interface Outcome {
  /** All that was printed, told and logged. */
  readonly output: string;
  /** How it failed, if it did. */
  readonly code: ErrorCode | undefined;
  readonly cause: unknown;
}

/** After these there is nothing new to see. */
const LAST_EVENTS = new Set(['token.refreshed', 'refresh.failed', 'stopped']);

/** Longer than any step takes here; what waits by then would wait for more than there is. */
const LONGEST_MS = 300;

/**
 * What `main.ts` does with a command line, in this process: the real commands, and outputs that are
 * collected. It is stopped when it has shown what it does.
 */
export async function runCommand(
  args: readonly string[],
  env: Environment,
  scrape: (port: number) => Promise<string>,
): Promise<Outcome> {
  const outputs: string[] = [];
  const secrets = secretsIn(args, env);
  const tell = (sentence: string) => void outputs.push(`pgpassd: ${sanitize(sentence, secrets)}`);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(143), LONGEST_MS);
  try {
    const invocation = parseCommandLine(args);
    if (invocation.kind !== 'command') return { output: '', code: undefined, cause: undefined };
    const command = await loadCommand(invocation.command);
    const asides: Promise<unknown>[] = [];
    let port: unknown;
    const log = (line: LogLine) => {
      outputs.push(JSON.stringify(line));
      if (line.event === 'started') port = line.fields['httpPort'];
      if (LAST_EVENTS.has(line.event)) {
        if (typeof port === 'number') asides.push(scrape(port).then((text) => outputs.push(text)));
        void Promise.allSettled(asides).then(() => setImmediate(() => stop.abort(143)));
      }
    };
    await command({
      flags: invocation.flags,
      rest: invocation.rest,
      env,
      terminal: false,
      columns: undefined,
      print: (text) => void outputs.push(text),
      openLog: async () => ({ log, close: async () => {} }),
      printToStderr: (sentence) => {
        tell(sentence);
        // `wait` says what it waits for.
        setImmediate(() => stop.abort(143));
      },
      secrets,
      signal: stop.signal,
      onHangup: () => {},
    });
    await Promise.allSettled(asides);
    return { output: outputs.join('\n'), code: undefined, cause: undefined };
  } catch (thrown) {
    const error = asPgpassdError(thrown);
    for (const line of [...error.message.split('\n'), error.remedy]) tell(line);
    return { output: outputs.join('\n'), code: error.code, cause: thrown };
  } finally {
    clearTimeout(timer);
  }
}
