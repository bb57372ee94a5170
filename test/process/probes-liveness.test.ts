import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { STALL_LIMIT_MS } from '../../src/observe/health.ts';
import { temporarilyUnavailable } from '../support/fake-entra/faults.ts';
import { grantFor, portOf, probe, probeUntil } from './probing.ts';
import { openStallingReader } from './stalling-reader.ts';
import { openWorkload, takeAway } from './workload.ts';

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
    reason: expect.stringMatching(/^the event loop stood still for 1[12] s$/),
  });
  // What the stall did to the token is over at once; the stall is remembered for a while.
  do await pgpassd.waitFor('token.refreshed');
  while ((await probe(port, '/livez')).status !== 200);
  expect((await probe(port, '/readyz')).status).toBe(200);
});

test('while the directory of the passfile is gone /livez says 200, and /readyz that the passfile is missing', async () => {
  const { directory, start } = await openWorkload();
  const pgpassd = start(['run']);
  await pgpassd.waitFor('token.refreshed');
  const port = await portOf(pgpassd);
  await takeAway(directory);
  await pgpassd.waitFor('passfile.repair-failed');
  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor(
    ({ reason, event }) => event === 'refresh.failed' && reason === 'passfile.unwritable',
  );
  expect(await probe(port, '/livez')).toMatchObject({ status: 200 });
  expect(await probe(port, '/readyz')).toMatchObject({
    status: 503,
    reason: 'the passfile is missing',
  });

  await mkdir(directory);
  await pgpassd.waitFor('passfile.repaired');
  expect(await probe(port, '/readyz')).toMatchObject({ status: 200 });
});

test.each(['json', 'pretty'])(
  'a reader of the log (%s) who stalls holds up neither the probes nor the next token, also once a token has expired',
  async (format) => {
    const { entra, directory, start } = await openWorkload();
    const reader = await openStallingReader(join(directory, 'log'));
    entra.faults.next(grantFor(3));
    entra.faults.always(temporarilyUnavailable());
    const pgpassd = start(['run', '--log-format', format], { under: reader.under });
    const [, httpPort] = /"httpPort":(\d+)/.exec(await reader.firstLine()) ?? [];
    const port = Number(httpPort);
    await reader.stall();
    await probeUntil(port, '/readyz', (said) => said.lastErrorAtMs > said.tokenExpiresAtMs);
    expect((await probe(port, '/livez')).status).toBe(200);

    entra.faults.always(undefined);
    pgpassd.signal('SIGHUP');
    await probeUntil(port, '/readyz', ({ status }) => status === 200);
  },
);
