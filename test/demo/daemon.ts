import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** What the demo reads from a line of pgpassd's log. */
export interface DaemonLine {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly tokenExpiresAtMs?: number | undefined;
  readonly nextRefreshInMs?: number | undefined;
  readonly nextTryInMs?: number | undefined;
  /** How many attempts have failed in a row. */
  readonly failures?: number | undefined;
  /** Where pgpassd serves its metrics. */
  readonly httpPort?: number | undefined;
}

/** A line of the JSON log. Anything else should not be there, and is shown as an error. */
export function parseDaemonLine(line: string): DaemonLine {
  const fields = parseObject(line);
  if (fields === undefined) return { level: 'error', event: 'unreadable', message: line };
  const textIn = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' ? value : undefined;
  };
  const numberIn = (name: string, scale = 1): number | undefined => {
    const value = fields[name];
    return typeof value === 'number' ? value * scale : undefined;
  };
  const tokenExpiresAt = textIn('tokenExpiresAt');
  return {
    level: String(fields['level']),
    event: String(fields['event']),
    message: String(fields['msg']),
    remedy: textIn('remedy'),
    tokenExpiresAtMs: tokenExpiresAt === undefined ? undefined : Date.parse(tokenExpiresAt),
    nextRefreshInMs: numberIn('nextRefreshInSeconds', 1000),
    nextTryInMs: numberIn('nextTryInSeconds', 1000),
    failures: numberIn('failures'),
    httpPort: numberIn('httpPort'),
  };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

export interface DaemonEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface DaemonProcess {
  /** Resolves when it has ended for any reason and all its lines were read. */
  readonly ended: Promise<DaemonEnd>;
  /** Sends SIGTERM, as kubelet does, and SIGKILL if that does not end it. */
  stop(): Promise<DaemonEnd>;
}

/** It ends within a second, unless the machine is busy. */
const KILL_AFTER_MS = 10_000;

const sources = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The real pgpassd (the sources, or what PGPASSD_ENTRY names), in an environment that holds `env` and nothing else. */
export function startDaemon(
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): DaemonProcess {
  const program = process.env['PGPASSD_ENTRY'] || sources;
  const child = spawn(process.execPath, [program, 'run'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Out of reach of the terminal's Ctrl-C: only kubelet sends signals to a container.
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

/** How many refreshes have failed, by pgpassd's own metrics; undefined when it does not answer. */
export async function countFailedRefreshes(httpPort: number): Promise<number | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
    const [, count] =
      /^pgpassd_refreshes_total\{result="error"\} (\d+)$/m.exec(await response.text()) ?? [];
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined;
  }
}
