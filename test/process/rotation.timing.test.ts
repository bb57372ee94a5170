import { expect, test } from 'vitest';
import type { ProjectedVolumeOptions } from '../support/projected-volume.ts';
import { refusal } from './rotation-troubles.ts';
import { openWorkload, startedFor } from './workload.ts';

/** Two attempts keep a second between them, and polling takes up to 30 s. */
const LONGEST_MS = 3_000;

// What is watched differs between these two. For the other layouts, and for the failures that go on until
// the rotation, an integration test has the order of events.
test.concurrent.for<ProjectedVolumeOptions['layout']>(['nested', 'plain'])(
  'after a refusal a rotation of a %s volume is exchanged at once, long before the next try',
  async (layout, { onTestFinished }) => {
    const workload = await openWorkload({ layout, onTestFinished });
    await refusal.arrange?.(workload);
    const pgpassd = workload.start(['run']);
    const { nextTryInSeconds } = await pgpassd.waitFor('refresh.failed');
    expect(nextTryInSeconds).toBeGreaterThan(1000);
    const rotatedAt = performance.now();
    await workload.volume.write(await workload.entra.cluster.issueServiceAccountToken());
    await pgpassd.waitFor(startedFor('rotation'));
    expect(performance.now() - rotatedAt).toBeLessThan(LONGEST_MS);
    await pgpassd.waitFor('refresh.recovered');
  },
);
