import { describe, test } from 'vitest';
import { noEngine } from './engine.ts';
import { pods } from './pods.ts';

/** Long enough to start a container anew within the half that is left at a refresh. */
const LIFETIME_SECONDS = 10;
const KILLS = 3;
const REFRESHES_BETWEEN_KILLS = 2;
const LONGEST_RESUMPTION_MS = 5_000;

describe.skipIf(noEngine)('a sidecar that is interrupted (needs a container engine)', () => {
  const openPod = pods();

  test.concurrent('is killed and started again, and no client notices', {
    timeout: 180_000,
  }, async (context) => {
    const { expect } = context;
    const pod = await openPod(context, {
      volume: 'tmpfs',
      accessTokenLifetimeSeconds: LIFETIME_SECONDS,
    });
    let pgpassd = await pod.startSidecar();
    await pgpassd.waitFor('token.refreshed');
    const application = await pod.startApplication();
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (let refresh = 0; refresh < REFRESHES_BETWEEN_KILLS; refresh += 1) {
        await pgpassd.waitFor('token.refreshed');
      }
      await application.nextConnect();
      await pgpassd.raw.kill();
      expect(await pgpassd.ended()).toBe(137);
      pgpassd = await pod.startSidecar();
      await pgpassd.waitFor('passfile.adopted');
    }
    await pgpassd.waitFor('token.refreshed');
    await application.nextConnect();
    expect(application.connects().filter(({ ok }) => !ok)).toEqual([]);
  });

  test.concurrent('is paused until its token has expired, and lets clients in again at once when it goes on', {
    timeout: 180_000,
  }, async (context) => {
    const { expect } = context;
    const pod = await openPod(context, {
      volume: 'tmpfs',
      accessTokenLifetimeSeconds: LIFETIME_SECONDS,
    });
    const pgpassd = await pod.startSidecar();
    await pgpassd.waitFor('token.refreshed');
    const application = await pod.startApplication();
    for (let refresh = 0; refresh < 3; refresh += 1) await pgpassd.waitFor('token.refreshed');
    await application.nextConnect();
    expect(application.connects().filter(({ ok }) => !ok)).toEqual([]);

    await pgpassd.raw.pause();
    const refused = await application.waitFor(({ ok }) => !ok);
    expect(refused.text).toContain('The access token has expired');
    await pgpassd.raw.unpause();
    const resumedMs = performance.now();
    await pgpassd.waitFor('token.refreshed');
    await application.waitFor(({ ok }) => ok);
    expect(performance.now() - resumedMs).toBeLessThan(LONGEST_RESUMPTION_MS);

    const connectsBefore = application.connects().length;
    for (let refresh = 0; refresh < 2; refresh += 1) await pgpassd.waitFor('token.refreshed');
    await application.nextConnect();
    expect(
      application
        .connects()
        .slice(connectsBefore)
        .filter(({ ok }) => !ok),
    ).toEqual([]);
  });
});
