import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: string;
}

/** Every process of this machine. */
export async function listProcesses(): Promise<Process[]> {
  const columns = ['-o', 'pid=', '-o', 'ppid=', '-o', 'args='];
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', ...columns]);
  return [...stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map(
    ([, pid, parent, commandLine = '']) => ({
      pid: Number(pid),
      parent: Number(parent),
      commandLine,
    }),
  );
}

/** Which of them still run. A process that got the number of one that is gone does not count. */
export async function survivorsOf(processes: readonly Process[]): Promise<Process[]> {
  const running = await listProcesses();
  return processes.filter(({ pid, commandLine }) =>
    running.some((process) => process.pid === pid && process.commandLine === commandLine),
  );
}
