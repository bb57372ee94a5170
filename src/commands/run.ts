import { loadConfig } from '../config/config.ts';
import { sentence } from '../observe/describe.ts';
import { createNarrator } from '../observe/narrator.ts';
import { asPgpassdError } from '../support/errors.ts';
import { systemClock } from '../support/system-clock.ts';
import { VERSION } from '../version.ts';
import type { Command } from './command.ts';
import { createDaemon } from './daemon.ts';
import { openLog } from './open-log.ts';

/** Keeps the passfile current until it is asked to stop. */
export const run: Command = async ({ flags, env, terminal, signal, onHangup }) => {
  const config = loadConfig(flags, env);
  const log = await openLog(config, terminal);
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
};
