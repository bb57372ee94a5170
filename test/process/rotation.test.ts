import { describe, test } from 'vitest';
import { defaultIdentity } from '../support/fake-entra/directory.ts';
import type { LogPredicate, Pgpassd } from '../support/pgpassd-process.ts';
import type { ProjectedVolumeOptions } from '../support/projected-volume.ts';
import { openWorkload, startedFor, type Workload, type WorkloadOptions } from './workload.ts';

const layouts: readonly ProjectedVolumeOptions['layout'][] = ['nested', 'flat', 'plain'];

/** A failure that is not tried again for a while, so that another exchange has another reason. */
const restingFor =
  (seconds: number): LogPredicate =>
  ({ event, nextTryInSeconds }) =>
    event === 'refresh.failed' && Number(nextTryInSeconds) >= seconds;

/** Watching is set up by the time the first token is told. */
async function settled(pgpassd: Pgpassd): Promise<void> {
  await pgpassd.waitFor('token.refreshed');
  await pgpassd.waitFor('federated-token.found');
  await pgpassd.waitFor(startedFor('due'));
}

describe.concurrent('a rotation', () => {
  test.for(layouts)(
    'of the same identity in a %s volume is told, and waits for the next refresh',
    async (layout, { expect, onTestFinished }) => {
      const { entra, volume, start } = await openWorkload({
        layout,
        onTestFinished,
        accessTokenLifetimeSeconds: 6,
      });
      const pgpassd = start(['run']);
      await settled(pgpassd);
      const rotated = await entra.cluster.issueServiceAccountToken();
      await volume.write(rotated);
      expect(await pgpassd.waitFor('federated-token.changed')).toMatchObject({
        subject: defaultIdentity.subject,
        refreshing: false,
      });
      expect(await pgpassd.waitFor(startedFor())).toMatchObject({ cause: 'due' });
      await pgpassd.waitFor('token.refreshed');
      expect(entra.requests.map(({ assertion }) => assertion)).toEqual([
        expect.not.stringContaining(rotated),
        rotated,
      ]);
    },
  );

  test.for(layouts)(
    'to another subject in a %s volume is exchanged within half of what is left of the token',
    async (layout, { expect, onTestFinished }) => {
      const subject = 'system:serviceaccount:shop:legacy-app-2';
      const federatedCredentials = [defaultIdentity, { ...defaultIdentity, subject }];
      const { entra, volume, start } = await openWorkload({
        layout,
        onTestFinished,
        federatedCredentials,
        accessTokenLifetimeSeconds: 20,
      });
      const pgpassd = start(['run', '--refresh-fraction', '0.95']);
      await settled(pgpassd);
      const rotated = await entra.cluster.issueServiceAccountToken({ subject });
      await volume.write(rotated);
      expect(await pgpassd.waitFor('federated-token.changed')).toMatchObject({
        subject,
        refreshing: true,
      });
      await pgpassd.waitFor(startedFor('rotation'));
      await pgpassd.waitFor('token.refreshed');
      expect(entra.requests.map(({ assertion }) => assertion).at(-1)).toBe(rotated);
    },
  );

  test('is told each time, as often as kubelet rotates', async ({ expect, onTestFinished }) => {
    const { entra, volume, start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['run']);
    await settled(pgpassd);
    for (let rotations = 0; rotations < 5; rotations += 1) {
      await volume.write(await entra.cluster.issueServiceAccountToken());
      await pgpassd.waitFor('federated-token.changed');
    }
    expect(entra.requests).toHaveLength(1);
  });

  test('to what is no token is not told before the next good one', async ({
    expect,
    onTestFinished,
  }) => {
    const { entra, volume, start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['run']);
    await settled(pgpassd);
    await volume.write('');
    await volume.write(await entra.cluster.issueServiceAccountToken());
    await pgpassd.waitFor('federated-token.changed');
    expect(pgpassd.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });
});

interface Trouble {
  readonly name: string;
  readonly reason: string;
  readonly entra?: WorkloadOptions;
  readonly arrange?: (workload: Workload) => unknown;
}

const refusal = {
  status: 401,
  headers: { 'retry-after': '3600' },
  body: JSON.stringify({ error: 'invalid_client', error_description: 'AADSTS700213: No match.' }),
};

const troubles: readonly Trouble[] = [
  {
    name: 'an expired federated token',
    reason: 'federated-token.expired',
    arrange: async ({ entra, volume }) => {
      const life = { notBeforeMs: Date.now() - 3_600_000, lifetimeSeconds: 600 };
      await volume.write(await entra.cluster.issueServiceAccountToken(life));
    },
  },
  {
    name: 'an empty federated token',
    reason: 'federated-token.empty',
    entra: { federatedToken: '' },
  },
  {
    name: 'a federated token missing from its volume',
    reason: 'federated-token.missing',
    entra: { federatedToken: null },
    arrange: ({ volume }) => volume.writeFiles({ 'podinfo/labels': 'app="legacy-app"' }),
  },
  {
    name: 'a federated token missing from a directory',
    reason: 'federated-token.missing',
    entra: { federatedToken: null, layout: 'plain' },
  },
  {
    name: 'a federated token missing from an empty volume',
    reason: 'federated-token.missing',
    entra: { federatedToken: null, layout: 'nested' },
  },
  {
    name: 'a refusal',
    reason: 'entra.refused',
    arrange: ({ entra }) => entra.faults.next({ kind: 'answer', ...refusal }),
  },
];

describe.concurrent('after a failure', () => {
  test.for(troubles)(
    'for $name a rotation is exchanged at once, long before the next try',
    async ({ reason, entra, arrange }, { expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished, ...entra });
      await arrange?.(workload);
      const pgpassd = workload.start(['run']);
      expect(await pgpassd.waitFor(restingFor(3))).toMatchObject({ reason });
      const rotatedAt = performance.now();
      await workload.volume.write(await workload.entra.cluster.issueServiceAccountToken());
      await pgpassd.waitFor(startedFor('rotation'));
      // Two attempts keep a second between them.
      expect(performance.now() - rotatedAt).toBeLessThan(2000);
      await pgpassd.waitFor('refresh.recovered');
    },
  );
});
