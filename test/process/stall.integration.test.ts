import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { STALL_LIMIT_MS } from '../../src/observe/health.ts';
import { grantFor, portOf, probe } from './probing.ts';
import { openWorkload } from './workload.ts';

const STANDS_STILL = 'The event loop stands still.';

/** Has the event loop of a Node.js program stand still for a while at SIGUSR2, when that is said. */
function standingStillFor(ms: number): Record<string, string> {
  const preload = `
    import { writeSync } from 'node:fs';
    process.on('SIGUSR2', () => {
      writeSync(2, '${STANDS_STILL}');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});
    });`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(preload)}` };
}

/** Due every two seconds, and valid long enough for a busy machine. */
const LATER_TOKENS = { accessTokenLifetimeSeconds: 200 };
const EVERY_TWO_SECONDS = ['--refresh-fraction', '0.01'];

test('/livez turns to 503 when the event loop stood still for longer than its limit, and back to 200 later', async () => {
  const { entra, start } = await openWorkload(LATER_TOKENS);
  // The first token expires while the event loop stands still.
  entra.faults.next(grantFor(4));
  const pgpassd = start(['run', ...EVERY_TWO_SECONDS], {
    env: standingStillFor(STALL_LIMIT_MS + 2_000),
  });
  await pgpassd.waitFor('token.refreshed');
  const port = await portOf(pgpassd);
  expect((await probe(port, '/livez')).status).toBe(200);

  pgpassd.signal('SIGUSR2');
  while (!pgpassd.errors().includes(STANDS_STILL)) await setImmediate();
  const { status, reason } = await probe(port, '/livez');
  expect(status).toBe(503);
  const [, stallS] = /^the event loop was blocked for (\d+) s$/.exec(reason) ?? [];
  // Less than it stood still by what was left of a beat of one second; more on a busy machine.
  expect(Number(stallS)).toBeGreaterThanOrEqual(STALL_LIMIT_MS / 1_000 + 1);
  // What the stall did to the token is over at once; the stall is remembered for a while.
  do await pgpassd.waitFor('token.refreshed');
  while ((await probe(port, '/livez')).status !== 200);
  expect((await probe(port, '/readyz')).status).toBe(200);
});
