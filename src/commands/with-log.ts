import type { Config } from '../config/config.ts';
import type { Log } from '../observe/log.ts';
import { presentableLine } from '../observe/presentable-line.ts';
import { systemClock } from '../support/system-clock.ts';
import type { CommandContext } from './command.ts';

/** A reader of the log who stalls must not hold up the end. */
const LONGEST_CLOSE_MS = 500;

/** Runs `work` with the configured log, and sees to it that its lines are out before the process ends. */
export async function withLog(
  config: Config,
  { terminal, secrets, openLog }: CommandContext,
  work: (log: Log) => Promise<void>,
): Promise<void> {
  const format = config.logFormat ?? (terminal ? 'pretty' : 'json');
  const { log, close } = await openLog({ level: config.logLevel, format });
  try {
    await work((line) => log(presentableLine(line, secrets)));
  } finally {
    const closed = new AbortController();
    await close(systemClock.sleep(LONGEST_CLOSE_MS, closed.signal));
    closed.abort();
  }
}
