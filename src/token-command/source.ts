import type { AccessToken } from '../support/access-token.ts';
import type { Clock } from '../support/clock.ts';
import type { KnownSecrets } from '../support/secret.ts';
import { interpretOutput } from './interpret.ts';
import { runTokenCommand } from './run.ts';
import type { Argv } from './split.ts';

export interface TokenCommandParts {
  readonly command: Argv;
  /** The life of a token that does not tell its own. */
  readonly lifetimeSeconds?: number | undefined;
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Hears each line of a successful run's stderr, without secrets. */
  readonly onStderr: (line: string) => void;
  /** What stderr is cleared of; each token that the command prints is added. */
  readonly secrets: KnownSecrets;
}

/** A source of access tokens: run the command anew each time. It throws PgpassdError `token-command.*`. */
export function createTokenCommand(
  parts: TokenCommandParts,
): (signal: AbortSignal) => Promise<AccessToken> {
  const { command, lifetimeSeconds, deadlineMs, clock, onStderr, secrets } = parts;
  return async (signal) => {
    const nowMs = clock.now().wallMs;
    const stdout = await runTokenCommand({
      argv: command,
      deadlineMs,
      clock,
      signal,
      onStderr,
      secrets: secrets.all,
    });
    const issued = interpretOutput(stdout, { nowMs, fallbackLifetimeSeconds: lifetimeSeconds });
    secrets.add(issued.token);
    return issued;
  };
}
