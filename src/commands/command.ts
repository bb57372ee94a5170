import type { Environment, GivenFlags } from '../config/option.ts';
import type { LogSettings, OpenLog } from '../observe/log.ts';
import type { Secret } from '../support/secret.ts';

/** What the process edge hands to a command. */
export interface CommandContext {
  readonly flags: GivenFlags;
  /** The words after `--`, which `wait` takes for the program that follows it. */
  readonly rest: readonly string[] | undefined;
  readonly env: Environment;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** How wide the terminal is. */
  readonly columns: number | undefined;
  /** What is the command's result, to standard output. */
  readonly print: (text: string) => void;
  /** Secrets that the command line and the environment hold: none of them gets into any output. */
  readonly secrets: readonly Secret[];
  /** The log, on standard output. */
  readonly openLog: (settings: LogSettings) => Promise<OpenLog>;
  /** A sentence for an operator, to standard error. */
  readonly tell: (sentence: string) => void;
  /**
   * Aborts when the process is asked to stop; the reason is the exit code, 128 and the signal's
   * number, of a command that had not done its work by then.
   */
  readonly signal: AbortSignal;
  /** Registers what SIGHUP does. */
  readonly onHangup: (listener: () => void) => void;
}

/** Resolves with the exit code when the command is done or was stopped; throws PgpassdError when it failed. */
export type Command = (context: CommandContext) => Promise<number>;
