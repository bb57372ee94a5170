import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listProcesses, type Process } from './processes.ts';

export interface RunningDemo {
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  /** What it has printed so far, standard error included. */
  output(): string;
  /** Resolves once it has printed the text; rejects when it ends without. */
  printed(text: string): Promise<void>;
  /** Every process below it, now. */
  descendants(): Promise<Process[]>;
  /** What Ctrl-C does: the signal goes to the whole foreground of the terminal. */
  interrupt(): void;
  /** What lies in its temporary directory, now. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('main.ts', import.meta.url));

/** The real demo, in a process group and with a temporary directory of its own. */
export async function startDemo(...args: string[]): Promise<RunningDemo> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-demo-test-'));
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, TMPDIR: directory },
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
    // Testcontainers keeps a lock file for all its runs.
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
