import { constants, fstatSync, openSync } from 'node:fs';
import { pino, stdTimeFunctions } from 'pino';

export interface LogSettings {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
}

export type Level = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** One line of the log. */
export interface LogLine {
  readonly level: Level;
  readonly event: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type Log = (line: LogLine) => void;

export interface OpenLog {
  readonly log: Log;
  /** Resolves when every line is written or cannot be written, or when `patience` resolves. */
  close(patience: Promise<void>): Promise<void>;
}

/** Tokens are `Secret`s and print as `[redacted]`; if one ever got past that, these fields are redacted too. */
const NEVER = ['token', 'assertion', 'password', 'access_token', 'client_assertion', 'body'];

/** Kept for a reader that stalls; further lines are dropped. */
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
    // Only `write`: given a way to flush, pino would wait for the reader at each fatal line.
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
  /** Resolves when everything is written or cannot be written. */
  end(): Promise<void>;
  /** Drops what is not written yet. */
  abandon(): void;
}

/** Never waits for the reader: one that stalls or goes away must not keep clients from getting tokens. */
function openStdout(): Destination {
  const stdout = pino.destination({
    fd: sharesItsPosition(STDOUT) ? STDOUT : (nonBlockingStdout() ?? STDOUT),
    sync: false,
    // What exceeds it is dropped.
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
 * Whether the processes that share this descriptor also share its position, as they do in a file. Opened
 * again, it would have a position of its own, and they would overwrite each other's lines.
 */
function sharesItsPosition(fd: number): boolean {
  return fstatSync(fd).isFile();
}

/**
 * A blocking write without a reader would also delay the end of the process. Opened again, standard
 * output can be non-blocking without becoming so for the processes that share it. A socket cannot be
 * opened.
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

/** Fields that repeat the message. */
const REPEATED = [
  'event',
  'remedy',
  'version',
  'tokenValidForSeconds',
  'nextTryInSeconds',
  'lastedSeconds',
  'damage',
];

/** Coloured on a terminal; with the date, since a container's log may be read much later. */
async function loadPretty(): Promise<(line: string) => string> {
  const { default: pretty } = await import('pino-pretty');
  return pretty.prettyFactory({
    ignore: REPEATED.join(','),
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
    singleLine: true,
  });
}
