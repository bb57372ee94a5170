#!/usr/bin/env node
import { constants } from 'node:os';
import { help, loadCommand, parseCommandLine } from './cli.ts';
import { exitCodeOf } from './exit-codes.ts';
import { asPgpassdError } from './support/errors.ts';
import { VERSION } from './version.ts';

/** A shutdown that hangs, on a dead disk for one, must not make the pod wait for its kill. */
const SHUTDOWN_MS = 800;

const stop = new AbortController();
let hangup = () => {};

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) exit(128 + constants.signals[name]);
    stop.abort(128 + constants.signals[name]);
    setTimeout(() => exit(0), SHUTDOWN_MS).unref();
  });
}
process.on('SIGHUP', () => hangup());

try {
  const invocation = parseCommandLine(process.argv.slice(2));
  let exitCode = 0;
  if (invocation.kind === 'help') process.stdout.write(help(invocation.command));
  else if (invocation.kind === 'version') process.stdout.write(`${VERSION}\n`);
  else {
    const command = await loadCommand(invocation.command);
    exitCode = await command({
      flags: invocation.flags,
      rest: invocation.rest,
      env: process.env,
      terminal: process.stdout.isTTY,
      columns: process.stdout.columns,
      print: (text) => void process.stdout.write(text),
      tell,
      signal: stop.signal,
      onHangup: (listener) => {
        hangup = listener;
      },
    });
  }
  exit(exitCode);
} catch (thrown) {
  const error = asPgpassdError(thrown);
  for (const line of error.message.split('\n')) tell(line);
  tell(error.remedy);
  if (error.code === 'internal' && error.cause instanceof Error) {
    process.stderr.write(`${error.cause.stack}\n`);
  }
  exit(exitCodeOf(error.code));
}

/**
 * Node's own exit waits for names that are being looked up, some ten seconds where no DNS server
 * answers. A program that takes the process over does not.
 */
function exit(code: number): never {
  if (process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap')) {
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  }
  process.exit(code);
}

function tell(sentence: string): void {
  process.stderr.write(`pgpassd: ${sentence}\n`);
}
