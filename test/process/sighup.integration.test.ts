import { readFile } from 'node:fs/promises';
import { describe, test } from 'vitest';
import { openWorkload, passfileWith, startedFor } from './workload.ts';

describe.concurrent('SIGHUP', () => {
  test('makes an exchange now, and the passfile gets the new token', async ({
    expect,
    onTestFinished,
  }) => {
    const { entra, passfile, start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['run']);
    await pgpassd.waitFor('token.refreshed');
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor(startedFor('request'));
    await pgpassd.waitFor('token.refreshed');
    expect(entra.issued).toHaveLength(2);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[1]));
  });

  test('ends the wait after a failure, whatever the server asked for', async ({
    expect,
    onTestFinished,
  }) => {
    const { entra, start } = await openWorkload({ onTestFinished });
    entra.faults.next({
      kind: 'answer',
      status: 429,
      headers: { 'retry-after': '3600' },
      body: '',
    });
    const pgpassd = start(['run']);
    const { nextTryInSeconds } = await pgpassd.waitFor('refresh.failed');
    expect(nextTryInSeconds).toBeGreaterThanOrEqual(3600);
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('refresh.recovered');
  });
});
