import { type DestinationStream, pino, stdTimeFunctions } from 'pino';
import type { LogLine } from './describe.ts';

export interface LogSettings {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
}

export type Log = (line: LogLine) => void;

/** Tokens are `Secret`s and print as such; should one ever get past that, these fields stay empty. */
const NEVER = ['token', 'assertion', 'password', 'access_token', 'client_assertion', 'body'];

/** The log on standard output: written at once, so that nothing is lost when the process ends. */
export async function createLog({ level, format }: LogSettings): Promise<Log> {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: NEVER.flatMap((name) => [name, `*.${name}`]),
    },
    await destination(format),
  );
  return ({ level: lineLevel, event, message, fields }) => {
    logger[lineLevel]({ event, ...fields }, message);
  };
}

async function destination(format: LogSettings['format']): Promise<DestinationStream> {
  const stdout = pino.destination({ fd: 1, sync: true });
  // A reader of the log that goes away is no reason to stop serving clients.
  stdout.on('error', () => undefined);
  if (format === 'json') return stdout;
  const { default: pretty } = await import('pino-pretty');
  return pretty({
    destination: stdout,
    sync: true,
    ignore: 'event,remedy',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
  });
}
