import { expect, test } from 'vitest';
import { missingFromDirectory, refusal, untilResting } from './rotation-troubles.ts';
import { openWorkload, startedFor } from './workload.ts';

/** The next try; a rotation that only that one would find takes longer than is allowed. */
const RESTING_SECONDS = 6;
/** Two attempts keep a second between them. */
const LONGEST_MS = 3_000;

// One on each side of the exchange, in a volume and in a directory. For the other failures an integration
// test has the order of events.
test.for([refusal, missingFromDirectory])(
  'after a failure for $name a rotation is exchanged at once, long before the next try',
  async ({ reason, entra, arrange }) => {
    const workload = await openWorkload(entra);
    await arrange?.(workload);
    const pgpassd = workload.start(['run']);
    expect(await untilResting(pgpassd, RESTING_SECONDS)).toMatchObject({ reason });
    const rotatedAt = performance.now();
    await workload.volume.write(await workload.entra.cluster.issueServiceAccountToken());
    await pgpassd.waitFor(startedFor('rotation'));
    expect(performance.now() - rotatedAt).toBeLessThan(LONGEST_MS);
    await pgpassd.waitFor('refresh.recovered');
  },
);
