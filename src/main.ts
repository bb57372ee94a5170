#!/usr/bin/env node
// What stands here, and what is imported statically, is read by Node.js releases that are too old, too.
import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { declineDebugger } from './decline-debugger.ts';
import { SHUTDOWN_MS } from './support/shutdown.ts';
import { whyUnsupported } from './supported-node.ts';
import { NODE_RANGE } from './version.ts';

declineDebugger();
// Node.js's end waits for the threads that compile, one of which may wait for a garbage collection that
// never comes any more: https://github.com/nodejs/node/issues/54918.
setFlagsFromString('--no-concurrent-sparkplug');

const unsupported = whyUnsupported(process.versions.node, NODE_RANGE);
if (unsupported !== undefined) {
  process.stderr.write(`pgpassd: ${unsupported}\n`);
  process.exit(2);
}

const stop = new AbortController();
let stoppingIsFailing = true;
let hangup = () => {};
let crash: (thrown: unknown) => number = failUntold;

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  const code = 128 + constants.signals[name];
  process.on(name, () => {
    if (stop.signal.aborted) breakOff(code);
    stop.abort(code);
    setTimeout(() => breakOff(stoppingIsFailing ? code : 0), SHUTDOWN_MS).unref();
  });
}
process.on('SIGHUP', () => hangup());
process.on('uncaughtException', (thrown) => exit(crash(thrown)));

exit(await run().catch(failUntold));

async function run(): Promise<number> {
  const { runProgram } = await import('./program.ts');
  return await runProgram({
    signal: stop.signal,
    onHangup: (listener) => {
      hangup = listener;
    },
    onCrash: (listener) => {
      crash = listener;
    },
    onStopIsSuccess: () => {
      stoppingIsFailing = false;
    },
  });
}

/** What failed while no secret was known yet, or none any more, may hold one: it is not repeated. */
function failUntold(): number {
  process.stderr.write('pgpassd: internal error outside of any command. Please report this.\n');
  return 1;
}

/**
 * Node's own exit waits for names that are being looked up, some ten seconds where no DNS server
 * answers, and for files, forever on a volume that does not.
 */
function exit(code: number): never {
  const waitsFor = process.getActiveResourcesInfo();
  const endless = ['GetAddrInfoReqWrap', 'FSReqPromise', 'FSReqCallback'];
  if (endless.some((each) => waitsFor.includes(each))) breakOff(code);
  process.exit(code);
}

/** A program that takes the process over waits for nothing. */
function breakOff(code: number): never {
  process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  process.exit(code);
}
