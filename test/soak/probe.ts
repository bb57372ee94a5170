import { createHook } from 'node:async_hooks';
import { renameSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';

/** What the process under test says of itself. */
export interface Inside {
  /** Timers that are set, those included that would not keep the process alive. */
  readonly timers: number;
  /** What keeps the event loop alive besides timers, such as `TCPSocketWrap`; one element each. */
  readonly resources: readonly string[];
  readonly heapUsedBytes: number;
}

/** The variable that names the file in which an answer is left. */
export const answerVariable = 'SOAK_ANSWER';

const path = env[answerVariable];
if (path !== undefined) answerSignals(path);

/** Loaded before the program, so that every timer is seen. SIGUSR2 asks; the file appears whole. */
function answerSignals(path: string): void {
  const timers = new Set<number>();
  createHook({
    init: (id, type) => {
      if (type === 'Timeout') timers.add(id);
    },
    destroy: (id) => void timers.delete(id),
    trackPromises: false,
  }).enable();
  process.on('SIGUSR2', () => {
    const inside: Inside = {
      timers: timers.size,
      resources: process.getActiveResourcesInfo().filter((type) => type !== 'Timeout'),
      heapUsedBytes: process.memoryUsage().heapUsed,
    };
    writeFileSync(`${path}.new`, JSON.stringify(inside));
    renameSync(`${path}.new`, path);
  });
}
