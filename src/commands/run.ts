import { type Config, loadConfig } from '../config/config.ts';
import { sentence } from '../observe/describe.ts';
import type { Log } from '../observe/log.ts';
import { createNarrator } from '../observe/narrator.ts';
import { asPgpassdError } from '../support/errors.ts';
import { systemClock } from '../support/system-clock.ts';
import { VERSION } from '../version.ts';
import type { Command, CommandContext } from './command.ts';
import { createDaemon } from './daemon.ts';
import { withLog } from './with-log.ts';

/** Keeps the passfile current until it is asked to stop. */
export const run: Command = async (context) => {
  const config = loadConfig(context.flags, context.env);
  await withLog(config, context.terminal, (log) => keepCurrent(config, context, log));
};

async function keepCurrent(
  config: Config,
  { env, signal, onHangup }: CommandContext,
  log: Log,
): Promise<void> {
  const narrate = createNarrator(systemClock);
  const daemon = await createDaemon(config, env, (event) => log(narrate(event)));
  onHangup(() => daemon.refresher.refresh());
  log({
    level: 'info',
    event: 'started',
    message: `pgpassd ${VERSION} keeps ${config.passfile} current`,
    fields: { version: VERSION, node: process.versions.node, entries: config.entries.length },
  });
  await daemon.run(signal);
  if (config.onExit === 'remove') {
    await daemon.refresher.remove().catch((error: unknown) => {
      const message = sentence(asPgpassdError(error));
      log({ level: 'error', event: 'passfile.remove-failed', message, fields: {} });
    });
  }
  log({ level: 'info', event: 'stopped', message: 'stopped', fields: { onExit: config.onExit } });
}
