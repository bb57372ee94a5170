#!/usr/bin/env node
import { constants } from 'node:os';
import { help, parseCommandLine } from './cli.ts';
import { exitCodeOf } from './exit-codes.ts';
import { asPgpassdError } from './support/errors.ts';
import { VERSION } from './version.ts';

/** A shutdown that hangs, on a dead disk for one, must not make the pod wait for its kill. */
const SHUTDOWN_MS = 800;

const stop = new AbortController();
let hangup = () => {};

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(128 + constants.signals[name]);
    stop.abort();
    setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
  });
}
process.on('SIGHUP', () => hangup());

try {
  const invocation = parseCommandLine(process.argv.slice(2));
  if (invocation.kind === 'help') process.stdout.write(help());
  else if (invocation.kind === 'version') process.stdout.write(`${VERSION}\n`);
  else {
    await invocation.command({
      flags: invocation.flags,
      env: process.env,
      terminal: process.stdout.isTTY,
      signal: stop.signal,
      onHangup: (listener) => {
        hangup = listener;
      },
    });
  }
  process.exit(0);
} catch (thrown) {
  const error = asPgpassdError(thrown);
  for (const line of error.message.split('\n')) process.stderr.write(`pgpassd: ${line}\n`);
  process.stderr.write(`pgpassd: ${error.remedy}\n`);
  if (error.code === 'internal' && error.cause instanceof Error) {
    process.stderr.write(`${error.cause.stack}\n`);
  }
  process.exit(exitCodeOf(error.code));
}
