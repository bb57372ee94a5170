import type { TokenCommandSettings } from '../config/source.ts';
import { createTokenCommand } from '../token-command/source.ts';
import type { OpenedSource, SourceContext } from './source.ts';
import { timed } from './timed.ts';

export function openTokenCommand(
  { command, lifetimeSeconds }: TokenCommandSettings,
  context: SourceContext,
): OpenedSource {
  const { requestTimeoutMs, clock, onEvent, secrets } = context;
  const run = createTokenCommand({
    command,
    ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
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
