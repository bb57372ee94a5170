import type { Environment, GivenFlags } from '../config/option.ts';
import type { LogSettings, OpenLog } from '../observe/log.ts';
import type { Secret } from '../support/secret.ts';

// main.ts imports this file before it knows whether this Node.js can run pgpassd, so of other files only types.

/** What a command gets from the process edge. */
export interface CommandContext {
  readonly flags: GivenFlags;
  /** The words after `--`: for `wait`, the program to execute. */
  readonly rest: readonly string[] | undefined;
  readonly env: Environment;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** The width of the terminal. */
  readonly columns: number | undefined;
  /** Writes the command's result to standard output. */
  readonly print: (text: string) => void;
  /** Secrets in the command line and the environment, which must not appear in any output. */
  readonly secrets: readonly Secret[];
  /** The log, on standard output. */
  readonly openLog: (settings: LogSettings) => Promise<OpenLog>;
  /** Writes a sentence for an operator to standard error. */
  readonly printToStderr: (sentence: string) => void;
  /**
   * Aborts when the process is asked to stop. The reason is the exit code for a command that has not
   * finished its work: 128 plus the signal's number.
   */
  readonly signal: AbortSignal;
  /** Registers what SIGHUP does. */
  readonly onHangup: (listener: () => void) => void;
}

/** Resolves with the exit code when the command has finished or was stopped; throws PgpassdError when it failed. */
export type Command = (context: CommandContext) => Promise<number>;

/**
 * From the request to stop to the end of the process. A second is documented; the rest of it is
 * left to Node.js, which exits slowly on a busy machine. What still hangs by then, such as a write to
 * a dead disk, is abandoned, so that the pod need not wait for SIGKILL.
 */
export const SHUTDOWN_MS = 600;

/** How long `once` waits for a write in progress, in case its volume does not answer. */
export const LONGEST_LAST_WRITE_MS = 0.5 * SHUTDOWN_MS;

/** How long requests in progress are waited for, in case a client is slow. */
export const LONGEST_FAREWELL_MS = 0.5 * SHUTDOWN_MS;

/** How long the log may take to close after either, in case its reader has stalled. */
export const LONGEST_LOG_CLOSE_MS = 0.4 * SHUTDOWN_MS;
