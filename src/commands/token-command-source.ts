import type { TokenCommandSettings } from '../config/config.ts';
import { issuedToken } from '../refresh/token-source.ts';
import { createTokenCommand } from '../token-command/source.ts';
import type { OpenSource, SourceContext } from './source.ts';

export function openTokenCommand(
  { command, lifetimeSeconds }: TokenCommandSettings,
  { requestTimeoutMs, clock, onEvent }: SourceContext,
): OpenSource {
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
      return issuedToken(await run(signal), askedAtMs);
    },
    isOurs: () => true,
    accompany: async () => undefined,
  };
}
