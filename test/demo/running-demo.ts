import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compileCache } from '../support/pgpassd-command.ts';

export interface RunningDemo {
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  /** What it has printed so far, standard error included. */
  output(): string;
  /** Resolves once it has printed the text; rejects if it ends before. */
  printed(text: string): Promise<void>;
  /** Every process that it has started, and theirs. */
  descendants(): Promise<Process[]>;
  /** What Ctrl-C does: the signal goes to the whole foreground of the terminal. */
  interrupt(): void;
  /** What is in its temporary directory. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('main.ts', import.meta.url));

/** The real demo, in a process group and with a temporary directory of its own. */
export async function startDemo(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningDemo> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-demo-test-'));
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, TMPDIR: directory, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close').then(() => child.exitCode);
  const interrupt = () => void (child.pid && process.kill(-child.pid, 'SIGINT'));

  return {
    ended,
    output: () => output,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (output.includes(text)) resolve();
        };
        child.stdout.on('data', check);
        child.once('close', () => reject(new Error(`ended before '${text}':\n${output}`)));
        check();
      }),
    descendants: async () => descendantsOf(child.pid, await listProcesses()),
    interrupt,
    // Testcontainers keeps a lock file for all its runs there.
    leftovers: async () =>
      (await readdir(directory)).filter((name) => !name.startsWith('testcontainers')),
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) interrupt();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function descendantsOf(pid: number | undefined, processes: readonly Process[]): Process[] {
  const children = processes.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...descendantsOf(child.pid, processes)]);
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: string;
}

/** Every process of this machine. */
async function listProcesses(): Promise<Process[]> {
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

/** Which of them still run. Another process with a reused id does not count. */
export async function survivorsOf(processes: readonly Process[]): Promise<Process[]> {
  const running = await listProcesses();
  return processes.filter(({ pid, commandLine }) =>
    running.some((process) => process.pid === pid && process.commandLine === commandLine),
  );
}
