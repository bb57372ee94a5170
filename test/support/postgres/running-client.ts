import { spawn } from 'node:child_process';

export interface ClientResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A client that is still running, for tests of what happens in the middle of a session. */
export interface RunningClient {
  type(line: string): void;
  /** Resolves once stdout or stderr contains the text; rejects when the client ends without. */
  printed(text: string): Promise<void>;
  /** What Ctrl+C does. */
  interrupt(): void;
  /** Closes stdin, as Ctrl+D does, and waits for the end. */
  finish(): Promise<ClientResult>;
}

/** Far longer than any test waits; only so that nothing is left running after a test that failed. */
const lifetimeMs = 60_000;

export function runClient(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  cleanUp: () => Promise<void>,
): RunningClient {
  const child = spawn(program, args, { env, timeout: lifetimeMs, stdio: 'pipe' });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  // The client may be gone before it has read what we type.
  child.stdin.on('error', () => {});

  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const outcome = async (): Promise<ClientResult> => {
    try {
      const code = await exit;
      return { code, ...output };
    } finally {
      await cleanUp();
    }
  };
  const result = outcome();

  return {
    type: (line) => void child.stdin.write(`${line}\n`),
    printed: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (output.stdout.includes(text) || output.stderr.includes(text)) resolve();
        };
        child.stdout.on('data', check);
        child.stderr.on('data', check);
        child.once('close', () =>
          reject(new Error(`${program} ended before it printed '${text}':\n${output.stderr}`)),
        );
        check();
      }),
    interrupt: () => void child.kill('SIGINT'),
    finish: () => {
      child.stdin.end();
      return result;
    },
  };
}
