import { spawn } from 'node:child_process';
import { systemErrorCode } from '../support/errors.ts';

/** As many as the processes and threads of a command that is a script and a program. They end at once. */
const PROCESSES = 16;

/**
 * The system's code when a few processes cannot be started beside each other, such as `EAGAIN`;
 * `undefined` when they can. A command that finds no room for processes of its own fails in its own
 * words: at a limit of processes a shell still starts, and then cannot.
 */
export async function lookForShortage(): Promise<string | undefined> {
  // Started in one turn, all of them count until the next, in which their ends are noticed.
  const starts = Array.from({ length: PROCESSES }, startProcess);
  return (await Promise.all(starts)).find((systemCode) => systemCode !== undefined);
}

function startProcess(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = (error: unknown) => resolve(systemErrorCode(error) ?? 'unknown error');
    try {
      spawn(process.execPath, ['--version'], { stdio: 'ignore', env: {} })
        .once('error', failed)
        .once('exit', () => resolve(undefined));
    } catch (error) {
      failed(error);
    }
  });
}
