import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
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

/** Lets clients of a kind loose, until the test has finished. Resolves when all of them have spoken. */
export async function flood(pgpassd: Pgpassd, kind: string): Promise<void> {
  const port = await portOf(pgpassd);
  const clients = spawn(process.execPath, [program, `${port}`, `${CLIENTS}`, kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(clients, 'close');
  onTestFinished(async () => {
    clients.kill('SIGKILL');
    await ended;
  });
  const died = pgpassd.exited.then(({ code, signal }) => {
    throw new Error(`pgpassd ended in the flood (${code ?? signal})`);
  });
  await Promise.race([once(clients.stdout, 'data'), died]);
}
