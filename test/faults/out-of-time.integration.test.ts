import { describe, test } from 'vitest';
import { openWorkload, startedFor } from '../process/workload.ts';

/** So far is Entra's clock ahead of ours: it sees tokens expire before we do. */
const AHEAD_MS = 600_000;

const entraNow = () => Date.now() + AHEAD_MS;

/** Good for five more minutes, as we see it. */
const expiredForEntra = () => ({ notBeforeMs: Date.now() - 3_600_000, lifetimeSeconds: 3900 });

describe.concurrent('when Entra finds the federated token out of its time (AADSTS700024)', () => {
  test('one that was rotated meanwhile is sent at once, and nothing is told', async ({
    expect,
    onTestFinished,
  }) => {
    const { entra, volume, start } = await openWorkload({ now: entraNow, onTestFinished });
    const expired = await entra.cluster.issueServiceAccountToken(expiredForEntra());
    const rotated = await entra.cluster.issueServiceAccountToken();
    const pgpassd = start(['run']);
    await pgpassd.waitFor('token.refreshed');
    await volume.write(expired);
    await pgpassd.waitFor('federated-token.changed');

    entra.faults.next({ kind: 'hold', until: () => volume.write(rotated) });
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('token.refreshed');
    expect(entra.requests.slice(1)).toMatchObject([
      { assertion: expired, answered: 401 },
      { assertion: rotated, answered: 200 },
    ]);
    expect(pgpassd.lines.filter(startedFor())).toHaveLength(2);
    expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
  });

  test('one that was not is not sent twice', async ({ expect, onTestFinished }) => {
    const { entra, volume, start } = await openWorkload({ now: entraNow, onTestFinished });
    await volume.write(await entra.cluster.issueServiceAccountToken(expiredForEntra()));
    const pgpassd = start(['run']);
    const failed = await pgpassd.waitFor('refresh.failed');
    expect(failed).toMatchObject({ reason: 'entra.refused', aadsts: 'AADSTS700024' });
    expect(entra.requests).toHaveLength(1);
  });
});
