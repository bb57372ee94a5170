import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { DaemonEnd } from './verdict.ts';

export interface DaemonProcess {
  /** Resolves when it has ended, whyever, and all its lines were read. */
  readonly ended: Promise<DaemonEnd>;
  /** SIGTERM, as kubelet sends it, and SIGKILL when that does not end it. */
  stop(): Promise<DaemonEnd>;
}

const KILL_AFTER_MS = 2_000;

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The real pgpassd, in an environment that holds `env` and nothing else. */
export function startDaemon(
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): DaemonProcess {
  const child = spawn(process.execPath, [program, 'run'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Out of reach of the terminal's Ctrl-C: a container gets its signal from nobody but kubelet.
    detached: true,
  });
  createInterface({ input: child.stdout }).on('line', onLine);
  const closed = once(child, 'close');
  const ended = Promise.all([closed, text(child.stderr)]).then(
    ([, stderr]): DaemonEnd => ({
      code: child.exitCode,
      signal: child.signalCode,
      stderr: stderr.trim(),
    }),
  );
  return {
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      const killing = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      try {
        return await ended;
      } finally {
        clearTimeout(killing);
      }
    },
  };
}
