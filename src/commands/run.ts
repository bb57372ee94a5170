import { type Config, loadConfig } from '../config/config.ts';
import { sentence } from '../observe/describe.ts';
import type { Log } from '../observe/log.ts';
import { createNarrator } from '../observe/narrator.ts';
import { systemClock } from '../support/clock.ts';
import { asPgpassdError } from '../support/failure.ts';
import { VERSION } from '../version.ts';
import type { Command, CommandContext } from './command.ts';
import { createDaemon } from './daemon.ts';
import { Observation } from './observation.ts';
import { withLog } from './with-log.ts';

/** Keeps the passfile current until it is asked to stop. */
export const run: Command = async (context) => {
  const config = loadConfig(context.flags, context.env, 'run');
  await withLog(config, context, (log) => keepCurrent(config, context, log));
  return 0;
};

async function keepCurrent(
  config: Config,
  { env, signal, onHangup, secrets }: CommandContext,
  log: Log,
): Promise<void> {
  const narrate = createNarrator(systemClock);
  const observation = new Observation(secrets);
  const daemon = await createDaemon(config, env, (event) => {
    observation.notice(event);
    log(narrate(event));
  });
  const { httpAddress } = config;
  const served =
    httpAddress === 'off'
      ? undefined
      : await observation.serve(httpAddress, daemon.refresher, workLimitMs(config), signal);
  onHangup(() => daemon.refresher.refresh());
  log({
    level: 'info',
    event: 'started',
    message: `pgpassd ${VERSION} keeps ${config.passfile} current`,
    fields: {
      version: VERSION,
      node: process.versions.node,
      ...(config.template === undefined
        ? { entries: config.entries.length }
        : { template: config.template }),
      ...(served && { httpPort: served.port }),
    },
  });
  await daemon.run(signal);
  if (config.onExit === 'remove') {
    await daemon.refresher.remove().catch((error: unknown) => {
      const message = sentence(asPgpassdError(error));
      log({ level: 'error', event: 'passfile.remove-failed', message, fields: {} });
    });
  }
  await served?.closed;
  log({ level: 'info', event: 'stopped', message: 'stopped', fields: { onExit: config.onExit } });
}

/** How long the loop may be at work: two exchanges, when the token rotates meanwhile, and a slow disk. */
function workLimitMs({ requestTimeoutMs }: Config): number {
  return 2 * requestTimeoutMs + 30_000;
}
