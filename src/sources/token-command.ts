import type { TokenCommandSettings } from '../config/config.ts';
import { issuedToken } from '../refresh/token-source.ts';
import { createTokenCommand } from '../token-command/source.ts';
import type { OpenedSource, SourceContext } from './source.ts';
import { timed } from './timed.ts';

export function openTokenCommand(
  { command, lifetimeSeconds }: TokenCommandSettings,
  context: SourceContext,
): OpenedSource {
  const { requestTimeoutMs, clock, onEvent } = context;
  const run = createTokenCommand({
    command,
    ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
    deadlineMs: requestTimeoutMs,
    clock,
    onStderr: (text) => onEvent({ type: 'token-command.said', text }),
  });
  return {
    async source(signal) {
      const askedAtMs = clock.now().wallMs;
      return issuedToken(await timed(context, signal, () => run(signal)), askedAtMs);
    },
    isOurs: () => true,
    accompany: async () => undefined,
  };
}
