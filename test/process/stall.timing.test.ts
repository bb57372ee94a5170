import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { STALL_LIMIT_MS } from '../../src/observe/health.ts';
import { portOf, probe } from './probing.ts';
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

test('/livez turns to 503 when the event loop stood still for longer than its limit, and back to 200 later', async () => {
  const { start } = await openWorkload({ accessTokenLifetimeSeconds: 4 });
  const pgpassd = start(['run'], { env: standingStillFor(STALL_LIMIT_MS + 2_000) });
  await pgpassd.waitFor('token.refreshed');
  const port = await portOf(pgpassd);
  expect((await probe(port, '/livez')).status).toBe(200);

  pgpassd.signal('SIGUSR2');
  while (!pgpassd.errors().includes(STANDS_STILL)) await setImmediate();
  expect(await probe(port, '/livez')).toMatchObject({
    status: 503,
    reason: expect.stringMatching(/^the event loop was blocked for 1[12] s$/),
  });
  // What the stall did to the token is over at once; the stall is remembered for a while.
  do await pgpassd.waitFor('token.refreshed');
  while ((await probe(port, '/livez')).status !== 200);
  expect((await probe(port, '/readyz')).status).toBe(200);
});
