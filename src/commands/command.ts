import type { Environment, GivenFlag } from '../config/given.ts';

/** What the process edge hands to a command. */
export interface CommandContext {
  readonly flags: readonly GivenFlag[];
  readonly env: Environment;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** Registers what SIGHUP does. */
  readonly onHangup: (listener: () => void) => void;
}

/** Resolves when the command is done or was stopped; throws PgpassdError when it failed. */
export type Command = (context: CommandContext) => Promise<void>;
