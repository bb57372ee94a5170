import type { Config } from '../config/config.ts';
import { createLog, type Log } from '../observe/log.ts';

export function openLog(config: Config, terminal: boolean): Promise<Log> {
  const format = config.logFormat ?? (terminal ? 'pretty' : 'json');
  return createLog({ level: config.logLevel, format });
}
