import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openWorkload, startedFor } from './workload.ts';

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
