#!/usr/bin/env node
// This file, and what it imports statically, must be readable by Node.js releases that are too old to run pgpassd.
import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { SHUTDOWN_MS } from './commands/command.ts';
import { NODE_RANGE, whyUnsupported } from './version.ts';

declineDebugger();
// At its end Node.js waits for its compiler threads, one of which may wait for a garbage collection that
// never happens: https://github.com/nodejs/node/issues/54918.
setFlagsFromString('--no-concurrent-sparkplug');

const unsupported = whyUnsupported(process.versions.node, NODE_RANGE);
if (unsupported !== undefined) {
  process.stderr.write(`pgpassd: ${unsupported}\n`);
  process.exit(2);
}

const stop = new AbortController();
let stoppedCode: number | undefined;
let onHangup = () => {};
let onCrash: (thrown: unknown) => number = failWithoutDetails;

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  const code = 128 + constants.signals[name];
  process.on(name, () => {
    if (stop.signal.aborted) forceExit(code);
    stop.abort(code);
    setTimeout(() => forceExit(stoppedCode ?? code), SHUTDOWN_MS).unref();
  });
}
process.on('SIGHUP', () => onHangup());
process.on('uncaughtException', (thrown) => exit(onCrash(thrown)));

exit(await run().catch(failWithoutDetails));

async function run(): Promise<number> {
  const { runProgram } = await import('./program.ts');
  return await runProgram({
    signal: stop.signal,
    onHangup: (listener) => {
      onHangup = listener;
    },
    onCrash: (listener) => {
      onCrash = listener;
    },
    succeedWhenStopped: () => {
      stoppedCode = 0;
    },
  });
}

/** What is thrown outside of a command may hold a secret that is not known here, so it is not shown. */
function failWithoutDetails(): number {
  process.stderr.write('pgpassd: internal error outside of any command. Please report this.\n');
  return 1;
}

/**
 * Node's own exit waits for host names that are being looked up, some ten seconds where no DNS server
 * answers, and for file operations, forever on a volume that does not answer.
 */
function exit(code: number): never {
  const active = process.getActiveResourcesInfo();
  const blocking = ['GetAddrInfoReqWrap', 'FSReqPromise', 'FSReqCallback'];
  if (blocking.some((each) => active.includes(each))) forceExit(code);
  process.exit(code);
}

/** Replacing the process by another program waits for nothing. */
function forceExit(code: number): never {
  process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  process.exit(code);
}

/**
 * Keeps SIGUSR1 from opening Node's inspector, which would give the tokens to every container of the pod.
 * From now on a handler replaces the signal's default; an inspector that a signal opened before is closed as
 * soon as it is there. One that was asked for with `--inspect` stays.
 * https://nodejs.org/docs/latest-v24.x/api/process.html#signal-events
 */
function declineDebugger(): void {
  process.on('SIGUSR1', () => {});
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] || ''].join(' ');
  if (/--(inspect(-brk|-wait)?|disable-sigusr1)(?![\w-])/.test(flags)) return;
  // For one signal Node.js opens it twice: as soon as it runs a script, and when the event loop turns. On a
  // busy machine the thread that does so may be late.
  closeInspector([0, 1, 10, 100, 1_000, 10_000]);
}

/** One attempt after the other: the event loop has to turn between them, however long a start takes. */
function closeInspector([delayMs, ...laterMs]: readonly number[]): void {
  if (delayMs === undefined) return;
  setTimeout(() => {
    void import('node:inspector').then(
      (inspector) => {
        if (inspector.url() !== undefined) inspector.close();
        closeInspector(laterMs);
      },
      // A Node.js that was built without the inspector opens none.
      () => undefined,
    );
  }, delayMs).unref();
}
