import { describe, test } from 'vitest';
import { noEngine } from './engine.ts';
import { UID } from './pod.ts';
import { pods } from './pods.ts';

/** Half of it is left when the next token arrives. */
const LIFETIME_SECONDS = 6;
const ROTATIONS = 5;

const byImage = { sidecar: {}, clientUid: UID };
/** Nothing else: neither may root read what it gave away, nor change its mode. */
const byOwner = {
  sidecar: { uid: 0, capabilities: ['CHOWN'], args: ['run', '--owner', '1000:1000'] },
  clientUid: 1000,
};
const cases = [
  { whose: 'of the same user, on a tmpfs', volume: 'tmpfs', ...byImage },
  { whose: 'of the same user, on disk', volume: 'disk', ...byImage },
  { whose: 'that root gives away, on a tmpfs', volume: 'tmpfs', ...byOwner },
  { whose: 'that root gives away, on disk', volume: 'disk', ...byOwner },
] as const;

describe.skipIf(noEngine)(
  'an unmodified client in a container of its own (needs an engine)',
  () => {
    const openPod = pods();

    test.concurrent.for(cases)(
      'connects without pause over rotations of a passfile $whose, mounted read-only',
      { timeout: 120_000 },
      async ({ volume, sidecar, clientUid }, context) => {
        const { expect } = context;
        const pod = await openPod(context, {
          volume,
          accessTokenLifetimeSeconds: LIFETIME_SECONDS,
        });
        const pgpassd = await pod.startSidecar(sidecar);
        await pgpassd.waitFor('token.refreshed');
        const application = await pod.startApplication({ uid: clientUid });
        for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
          await application.nextConnect();
          await pgpassd.waitFor('token.refreshed');
          await pod.token.write(await pod.entra.cluster.issueServiceAccountToken());
        }
        await application.nextConnect();

        expect(pgpassd.log.lines.filter((line) => line.includes('passfile.repaired'))).toEqual([]);
        expect(application.connects().filter(({ ok }) => !ok)).toEqual([]);
        expect(new Set(pod.entra.issued).size).toBeGreaterThan(ROTATIONS);
      },
    );
  },
);
