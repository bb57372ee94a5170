import { loadConfig } from '../config/config.ts';
import { describe } from '../observe/describe.ts';
import { systemClock } from '../support/system-clock.ts';
import { VERSION } from '../version.ts';
import type { Command } from './command.ts';
import { createDaemon } from './daemon.ts';
import { openLog } from './open-log.ts';

/** Keeps the passfile current until it is asked to stop. */
export const run: Command = async ({ flags, env, terminal, signal, onHangup }) => {
  const config = loadConfig(flags, env);
  const log = await openLog(config, terminal);
  const daemon = await createDaemon(config, env, systemClock, (event) => log(describe(event)));
  onHangup(() => daemon.refresher.ask('request'));
  log({
    level: 'info',
    event: 'started',
    message: `pgpassd ${VERSION} keeps ${config.passfile} current`,
    fields: { version: VERSION, node: process.versions.node, entries: config.entries.length },
  });
  await daemon.run(signal);
  log({
    level: 'info',
    event: 'stopped',
    message: `stopped; the passfile was ${config.onExit === 'keep' ? 'kept' : 'removed'}`,
    fields: {},
  });
};
