import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { OnTestFinished } from '../support/clean-up.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { portOf } from './probing.ts';

/** As many as may be connected at once. */
const CLIENTS = 512;

const program = fileURLToPath(new URL('../support/flood.ts', import.meta.url));

const NODE_COMPILE_CACHE = undefined;

/** What becomes of pgpassd's memory depends on how Node.js is run. */
export const asInTheImage = {
  limitMiB: 64,
  env: {
    NODE_COMPILE_CACHE,
    NODE_OPTIONS: '--max-semi-space-size=1 --max-old-space-size=32',
    MALLOC_ARENA_MAX: '1',
  },
};
export const asItComes = { limitMiB: 128, env: { NODE_COMPILE_CACHE } };

/**
 * Lets clients of a kind loose, instead of those of the last kind, until the test has finished. Resolves
 * when all of them have spoken.
 */
export type Flood = (kind: string) => Promise<void>;

/** One program for all kinds, whose clients come back so long after they were cut off. */
export async function openFlood(
  pgpassd: Pgpassd,
  pauseMs: number,
  onTestFinished: OnTestFinished,
): Promise<Flood> {
  const port = await portOf(pgpassd);
  const clients = spawn(process.execPath, [program, `${port}`, `${CLIENTS}`, `${pauseMs}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(clients, 'close');
  onTestFinished(async () => {
    clients.kill('SIGKILL');
    await ended;
  });
  const died = Promise.race([
    pgpassd.exited.then(({ code, signal }) => `pgpassd ended in the flood (${code ?? signal})`),
    ended.then(() => 'the clients ended'),
  ]);
  return async (kind) => {
    clients.stdin.write(`${kind}\n`);
    const why = await Promise.race([once(clients.stdout, 'data').then(() => undefined), died]);
    if (why !== undefined) throw new Error(why);
  };
}
