import type { SourceSettings } from '../config/source.ts';
import type { OpenedSource, SourceContext } from './source.ts';
import { openTokenCommand } from './token-command.ts';
import { openWorkloadIdentity } from './workload-identity.ts';

/** @throws PgpassdError `config.invalid` */
export async function openSource(
  settings: SourceSettings,
  context: SourceContext,
): Promise<OpenedSource> {
  return settings.kind === 'token-command'
    ? openTokenCommand(settings, context)
    : await openWorkloadIdentity(settings, context);
}
