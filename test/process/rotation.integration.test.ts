import { describe, test } from 'vitest';
import type { PgpassdHere } from '../support/command-here.ts';
import { defaultIdentity } from '../support/fake-entra/directory.ts';
import type { ProjectedVolumeOptions } from '../support/projected-volume.ts';
import { openWorkload, startedFor } from './workload.ts';

const layouts: readonly ProjectedVolumeOptions['layout'][] = ['nested', 'flat', 'plain'];

/** Watching is set up by the time the first token is told. */
async function settled(pgpassd: PgpassdHere): Promise<void> {
  await pgpassd.waitFor('token.refreshed');
  await pgpassd.waitFor('federated-token.found');
  await pgpassd.waitFor(startedFor('due'));
}

describe.concurrent('a rotation', () => {
  test.for(layouts)(
    'of the same identity in a %s volume is told, and waits for the next refresh',
    async (layout, { expect, onTestFinished }) => {
      const { entra, volume, startHere } = await openWorkload({
        layout,
        onTestFinished,
        // Long enough for the rotation to be noticed long before a refresh is due.
        accessTokenLifetimeSeconds: 30,
      });
      const pgpassd = startHere(['run']);
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
      const { entra, volume, startHere } = await openWorkload({
        layout,
        onTestFinished,
        federatedCredentials,
        accessTokenLifetimeSeconds: 20,
      });
      const pgpassd = startHere(['run', '--refresh-fraction', '0.95']);
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
    const { entra, volume, startHere } = await openWorkload({ onTestFinished });
    const pgpassd = startHere(['run']);
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
    const { entra, volume, startHere } = await openWorkload({ onTestFinished });
    const pgpassd = startHere(['run']);
    await settled(pgpassd);
    await volume.write('');
    await volume.write(await entra.cluster.issueServiceAccountToken());
    await pgpassd.waitFor('federated-token.changed');
    expect(pgpassd.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });
});
