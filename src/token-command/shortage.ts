import { spawn } from 'node:child_process';
import { systemErrorCode } from '../support/errors.ts';

/** As many as a command that is a script and a pipeline of programs has beside each other, or Node.js has threads. */
const PROCESSES = 8;

/**
 * The system's code when a few processes cannot be started beside each other, such as `EAGAIN`;
 * `undefined` when they can. A command that finds no room for processes of its own fails in its own
 * words: at a limit of processes a shell still starts, and then cannot.
 *
 * Takes some milliseconds. Each process is killed as soon as it is there, before it does anything;
 * started in one turn of the event loop, all of them count until the next, in which they are reaped.
 * A program that does not exist would be cheaper still, but libuv reaps such a process at once.
 */
export async function lookForShortage(): Promise<string | undefined> {
  for (let count = 0; count < PROCESSES; count += 1) {
    const failure = startProcess();
    if (failure !== undefined) return await failure;
  }
  return undefined;
}

/** The system's code when the process is not there. */
function startProcess(): Promise<string> | undefined {
  const codeOf = (error: unknown) => systemErrorCode(error) ?? 'unknown error';
  try {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore', env: {} });
    const failure = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(codeOf(error)));
    });
    if (child.pid === undefined) return failure;
    child.kill('SIGKILL');
    return undefined;
  } catch (error) {
    return Promise.resolve(codeOf(error));
  }
}
