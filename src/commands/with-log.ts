import type { Config } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import { presentableLine } from '../observe/presentable-line.ts';
import { systemClock } from '../support/clock.ts';
import { LONGEST_LOG_CLOSE_MS } from '../support/shutdown.ts';
import type { CommandContext } from './command.ts';

/** Runs `work` with the configured log, and sees to it that its lines are out before the process ends. */
export async function withLog<T>(
  config: Config,
  { terminal, secrets, openLog }: CommandContext,
  work: (log: Log) => Promise<T>,
): Promise<T> {
  const format = config.logFormat ?? (terminal ? 'pretty' : 'json');
  const { log, close } = await openLog({ level: config.logLevel, format });
  try {
    return await work((line) => log(presentableLine(line, secrets)));
  } finally {
    const closed = new AbortController();
    await close(systemClock.sleep(LONGEST_LOG_CLOSE_MS, closed.signal));
    closed.abort();
  }
}
