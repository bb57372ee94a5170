import type { TokenCommandSettings } from '../config/source.ts';
import type { FetchToken } from '../refresh/refresher.ts';
import type { Clock } from '../support/clock.ts';
import type { KnownSecrets } from '../support/secret.ts';
import { interpretOutput } from '../token-command/output.ts';
import { runTokenCommand } from '../token-command/run.ts';
import { type OpenedSource, type SourceContext, timed } from './source.ts';

export function openTokenCommand(
  settings: TokenCommandSettings,
  context: SourceContext,
): OpenedSource {
  const { requestTimeoutMs, clock, onEvent, secrets } = context;
  const run = createTokenCommand(settings, {
    deadlineMs: requestTimeoutMs,
    clock,
    onStderr: (text) => onEvent({ type: 'token-command.said', text }),
    secrets,
  });
  return {
    fetch: (signal) => timed(context, signal, () => run(signal)),
    objectionTo: () => undefined,
    run: async () => undefined,
  };
}

export interface TokenCommandParts {
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** Called with each line of a successful run's stderr, without secrets. */
  readonly onStderr: (line: string) => void;
  /** What stderr is redacted with; each token that the command prints is added. */
  readonly secrets: KnownSecrets;
}

/** Runs the command for each token. Throws PgpassdError `token-command.*`. */
export function createTokenCommand(
  { command, lifetimeSeconds }: Omit<TokenCommandSettings, 'kind'>,
  { deadlineMs, clock, onStderr, secrets }: TokenCommandParts,
): FetchToken {
  const fallbackLifetimeMs = lifetimeSeconds === undefined ? undefined : lifetimeSeconds * 1000;
  return async (signal) => {
    const askedAt = clock.now();
    const stdout = await runTokenCommand({
      argv: command,
      deadlineMs,
      clock,
      signal,
      onStderr,
      secrets: secrets.all,
    });
    const issued = interpretOutput(stdout, { askedAt, fallbackLifetimeMs });
    secrets.add(issued.token);
    return issued;
  };
}
