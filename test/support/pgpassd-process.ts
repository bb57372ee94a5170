import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { OnTestFinished } from './clean-up.ts';
import { defaultResource } from './fake-entra/directory.ts';
import type { FakeEntra } from './fake-entra/server.ts';
import { type CommandOptions, pgpassdCommand } from './pgpassd-command.ts';

/** One line of the log, as JSON on standard output. */
export interface LogLine {
  /** ISO 8601. */
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface PgpassdExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Pgpassd {
  readonly pid: number;
  /** Every line of the log so far, oldest first. */
  readonly lines: readonly LogLine[];
  /** The oldest matching line that no earlier call returned, as soon as there is one. */
  waitFor(wanted: string | LogPredicate, bound?: { readonly within?: number }): Promise<LogLine>;
  signal(name: NodeJS.Signals): void;
  /** Settles when the process is gone and all it printed is here. */
  readonly exited: Promise<PgpassdExit>;
  /** Standard error so far. */
  errors(): string;
  /** Everything printed so far: standard output, then standard error. */
  output(): string;
}

export type LogPredicate = (line: LogLine) => boolean;

export interface PgpassdOptions extends CommandOptions {
  /** The test's own hook: a concurrent test has to hand in that of its context. */
  readonly onTestFinished?: OnTestFinished;
}

/** Far more than any step takes, also on a busy machine. */
const DEFAULT_BOUND_MS = 120_000;

/**
 * Starts the real program with nothing of our environment but PATH, and kills it after the test. A
 * second start is quicker than the first, see the compile cache.
 */
export function startPgpassd(options: PgpassdOptions): Pgpassd {
  const { program, args, options: spawned } = pgpassdCommand(options);
  const child = spawn(program, args, { ...spawned, stdio: ['ignore', 'pipe', 'pipe'] });

  const observed = observe();
  child.stderr.setEncoding('utf8').on('data', observed.onStderr);
  createInterface({ input: child.stdout }).on('line', observed.onLine);
  const exited = new Promise<PgpassdExit>((settle, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => settle(observed.onExit({ code, signal })));
  });
  (options.onTestFinished ?? onTestFinished)(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    ...observed.seen,
    pid: child.pid ?? Number.NaN,
    signal: (name) => void child.kill(name),
    exited,
  };
}

interface Observed {
  /** A line of standard output, without its end. */
  readonly onLine: (line: string) => void;
  readonly onStderr: (piece: string) => void;
  readonly onExit: (exit: PgpassdExit) => PgpassdExit;
  readonly seen: Pick<Pgpassd, 'lines' | 'waitFor' | 'errors' | 'output'>;
}

/** Collects what one pgpassd prints, wherever it runs. */
export function observe(): Observed {
  const printed = { stdout: '', stderr: '' };
  const lines: LogLine[] = [];
  const unseen: LogLine[] = [];
  const waiting = new Set<() => void>();
  const look = () => {
    for (const check of [...waiting]) check();
  };
  const output = () => printed.stdout + printed.stderr;
  let ended: PgpassdExit | undefined;
  return {
    onLine: (line) => {
      printed.stdout += `${line}\n`;
      const parsed = parseLogLine(line);
      if (parsed === undefined) return;
      lines.push(parsed);
      unseen.push(parsed);
      look();
    },
    onStderr: (piece) => {
      printed.stderr += piece;
    },
    onExit: (exit) => {
      ended = exit;
      look();
      return exit;
    },
    seen: {
      lines,
      waitFor: (wanted, { within = DEFAULT_BOUND_MS } = {}) =>
        new Promise((settle, reject) => {
          const matches: LogPredicate =
            typeof wanted === 'string' ? ({ event }) => event === wanted : wanted;
          const finish = () => {
            clearTimeout(timer);
            waiting.delete(check);
          };
          const fail = (why: string) => {
            finish();
            reject(new Error(`${why} before it logged ${wanted}:\n${output()}`));
          };
          const check = () => {
            const index = unseen.findIndex(matches);
            const [line] = index < 0 ? [] : unseen.splice(index, 1);
            if (line !== undefined) {
              finish();
              settle(line);
            } else if (ended !== undefined) {
              fail(`pgpassd ended (${ended.code ?? ended.signal})`);
            }
          };
          const timer = setTimeout(() => fail(`${within} ms passed`), within);
          waiting.add(check);
          check();
        }),
      errors: () => printed.stderr,
      output,
    },
  };
}

/** Help, versions and lines for people are no log lines. */
function parseLogLine(line: string): LogLine | undefined {
  return line.startsWith('{"') ? (JSON.parse(line) as LogLine) : undefined;
}

const DEFAULT_ENTRIES = ['my-app.postgres.database.azure.com:5432:*:app'];

export interface PgpassdSetup {
  readonly entra: Pick<FakeEntra, 'authorityHost' | 'tenantId' | 'clientId'>;
  readonly tokenPath: string;
  readonly passfile: string;
  /** One `host:port:database:user` a line. */
  readonly entries?: readonly string[];
  /** What the token is for. */
  readonly resource?: string;
}

/**
 * What the workload identity webhook and the pod's author set, a log that keeps nothing back, and a
 * port for the probes that nobody else has.
 */
export function pgpassdEnv(setup: PgpassdSetup): Record<string, string> {
  const {
    entra,
    tokenPath,
    passfile,
    entries = DEFAULT_ENTRIES,
    resource = defaultResource,
  } = setup;
  return {
    AZURE_TENANT_ID: entra.tenantId,
    AZURE_CLIENT_ID: entra.clientId,
    AZURE_AUTHORITY_HOST: entra.authorityHost,
    AZURE_FEDERATED_TOKEN_FILE: tokenPath,
    PGPASSFILE: passfile,
    PGPASSD_SCOPE: `${resource}/.default`,
    PGPASSD_ENTRIES: entries.join('\n'),
    PGPASSD_LOG_LEVEL: 'trace',
    PGPASSD_HTTP_ADDRESS: '127.0.0.1:0',
  };
}
