import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openWorkload, startedFor, whileStopped } from './workload.ts';

/** Long enough for all that is done before the token is due, also on a busy machine. */
const LIFE_SECONDS = 20;

test('SIGHUP a hundred times makes at most two exchanges', async () => {
  const { entra, start } = await openWorkload({ accessTokenLifetimeSeconds: LIFE_SECONDS });
  const pgpassd = start(['run', '--request-timeout', '2m']);
  await pgpassd.waitFor(startedFor('due'));
  await pgpassd.waitFor('token.refreshed');
  // The first one's exchange lasts as long as the others come, so that they fall into it.
  let sent = 0;
  entra.faults.next({ kind: 'hold', until: () => sendOthers() });
  const sendOthers = async () => {
    for (; sent < 100; sent += 1) {
      pgpassd.signal('SIGHUP');
      await setImmediate();
    }
  };
  sent += 1;
  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor(startedFor('request'));
  await pgpassd.waitFor(startedFor('request'));
  // A third would come a second after the second, long before the token is due.
  await pgpassd.waitFor(startedFor('due'));
  expect(sent).toBe(100);
  expect(pgpassd.lines.filter(startedFor('request'))).toHaveLength(2);
});

/**
 * Two signals that the stopped process finds both when it goes on; the kernel chooses their
 * order. The file that is to be removed keeps the shutdown from ending between the two: that
 * takes a turn of the event loop, which deals with all signals there are before.
 */
test.runIf(process.platform === 'linux')('a second signal ends run at once', async () => {
  const { start } = await openWorkload();
  const pgpassd = start(['run', '--on-exit', 'remove']);
  await pgpassd.waitFor('token.refreshed');
  await whileStopped(pgpassd, async () => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) pgpassd.signal(name);
  });
  const { code } = await pgpassd.exited;
  expect([128 + 2, 128 + 15]).toContain(code);
  expect(pgpassd.lines.map(({ event }) => event)).not.toContain('stopped');
});
