#!/usr/bin/env node
import { constants } from 'node:os';
import { help, loadCommand, parseCommandLine } from './cli.ts';
import { secretsIn } from './config/secrets-in.ts';
import { exitCodeOf } from './exit-codes.ts';
import { asPgpassdError } from './support/errors.ts';
import { presentable } from './support/printable.ts';
import { VERSION } from './version.ts';

/** A shutdown that hangs, on a dead disk for one, must not make the pod wait for its kill. */
const SHUTDOWN_MS = 600;

const stop = new AbortController();
let hangup = () => {};

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) breakOff(128 + constants.signals[name]);
    stop.abort(128 + constants.signals[name]);
    setTimeout(() => breakOff(0), SHUTDOWN_MS).unref();
  });
}
process.on('SIGHUP', () => hangup());

const secrets = secretsIn(process.argv.slice(2), process.env);

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
      openLog: async (settings) => (await import('./observe/log.ts')).createLog(settings),
      tell,
      secrets,
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
    for (const line of error.cause.stack?.split('\n') ?? []) tell(line);
  }
  exit(exitCodeOf(error.code));
}

/**
 * Node's own exit waits for names that are being looked up, some ten seconds where no DNS server
 * answers, and for files, forever on a volume that does not.
 */
function exit(code: number): never {
  const waitsFor = process.getActiveResourcesInfo();
  if (['GetAddrInfoReqWrap', 'FSReqPromise'].some((each) => waitsFor.includes(each)))
    breakOff(code);
  process.exit(code);
}

/** A program that takes the process over waits for nothing. */
function breakOff(code: number): never {
  process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  process.exit(code);
}

function tell(sentence: string): void {
  process.stderr.write(`pgpassd: ${presentable(sentence, secrets)}\n`);
}
