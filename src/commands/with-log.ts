import type { Config } from '../config/config.ts';
import { createLog, type Log } from '../observe/log.ts';
import { LONGEST_LOG_CLOSE_MS } from '../support/shutdown.ts';
import { systemClock } from '../support/system-clock.ts';

/** Runs `work` with the configured log, and sees to it that its lines are out before the process ends. */
export async function withLog<T>(
  config: Config,
  terminal: boolean,
  work: (log: Log) => Promise<T>,
): Promise<T> {
  const format = config.logFormat ?? (terminal ? 'pretty' : 'json');
  const { log, close } = await createLog({ level: config.logLevel, format });
  try {
    return await work(log);
  } finally {
    const closed = new AbortController();
    await close(systemClock.sleep(LONGEST_LOG_CLOSE_MS, closed.signal));
    closed.abort();
  }
}
