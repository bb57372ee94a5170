import { constants, fstatSync, openSync } from 'node:fs';
import { pino, stdTimeFunctions } from 'pino';
import type { LogLine } from './describe.ts';

export interface LogSettings {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
}

export type Log = (line: LogLine) => void;

export interface OpenLog {
  readonly log: Log;
  /** Resolves when everything told is written, or cannot be; once `patience` is over, with what is. */
  close(patience: Promise<void>): Promise<void>;
}

/** Tokens are `Secret`s and print as such; should one ever get past that, these fields stay empty. */
const NEVER = ['token', 'assertion', 'password', 'access_token', 'client_assertion', 'body'];

/** What is kept for a reader who stalls; later lines are dropped. */
const LARGEST_BACKLOG_BYTES = 1024 * 1024;

const STDOUT = 1;

/** The log on standard output. */
export async function createLog({ level, format }: LogSettings): Promise<OpenLog> {
  const { write, end, abandon } = openStdout();
  const present = format === 'pretty' ? await loadPretty() : (line: string) => line;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: NEVER.flatMap((name) => [name, `*.${name}`]),
    },
    // No more of the stream than this: where pino finds a way to flush, it waits for the reader at each fatal line.
    { write: (line: string) => write(present(line)) },
  );
  return {
    log: ({ level: lineLevel, event, message, fields }) => {
      logger[lineLevel]({ event, ...fields }, message);
    },
    async close(patience) {
      await Promise.race([end(), patience]);
      abandon();
    },
  };
}

interface Destination {
  readonly write: (text: string) => void;
  /** Resolves when everything is written, or cannot be. */
  end(): Promise<void>;
  /** What is not written by now is lost. */
  abandon(): void;
}

/** Written without waiting: a reader of the log who stalls or goes away is no reason to stop serving clients. */
function openStdout(): Destination {
  const stdout = pino.destination({
    fd: sharesItsPosition(STDOUT) ? STDOUT : (nonBlockingStdout() ?? STDOUT),
    sync: false,
    maxLength: LARGEST_BACKLOG_BYTES,
  });
  let broken = false;
  stdout.on('error', () => {
    broken = true;
  });
  const end = async () => {
    if (broken) return;
    await new Promise<void>((done) => {
      stdout.once('close', done).once('error', () => done());
      stdout.end();
    });
  };
  return { write: (text) => void stdout.write(text), end, abandon: () => stdout.destroy() };
}

/**
 * Whether all who were given this descriptor go on writing where the last of them ended: a file, that
 * is. Opened anew it would have a position of its own, and they would overwrite each other's lines.
 */
function sharesItsPosition(fd: number): boolean {
  return fstatSync(fd).isFile();
}

/**
 * A blocking write that nobody reads would hold the process's end up, too. Opened anew, standard
 * output can be non-blocking without being so for whoever shares it. A socket cannot be opened.
 */
function nonBlockingStdout(): number | undefined {
  try {
    return openSync(
      `/proc/self/fd/${STDOUT}`,
      constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK,
    );
  } catch {
    return undefined;
  }
}

/** What the sentences say already. */
const SAID = [
  'event',
  'remedy',
  'version',
  'tokenValidForSeconds',
  'nextTryInSeconds',
  'lastedSeconds',
  'damage',
];

/** Coloured on a terminal, with the date for those who read later what a container said. */
async function loadPretty(): Promise<(line: string) => string> {
  const { default: pretty } = await import('pino-pretty');
  return pretty.prettyFactory({
    ignore: SAID.join(','),
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
    singleLine: true,
  });
}
