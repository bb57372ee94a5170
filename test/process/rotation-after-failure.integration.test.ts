import { describe, test } from 'vitest';
import { troubles, untilResting } from './rotation-troubles.ts';
import { openWorkload, startedFor } from './workload.ts';

/** Far more than it takes to notice a rotation, also on a busy machine. */
const RESTING_SECONDS = 20;

describe.concurrent('after a failure', () => {
  test.for(troubles)(
    'for $name a rotation is exchanged before the next try',
    async ({ reason, entra, arrange, clear }, { expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished, ...entra });
      await arrange?.(workload);
      const pgpassd = workload.startHere(['run']);
      expect(await untilResting(pgpassd, RESTING_SECONDS)).toMatchObject({ reason });
      await clear?.(workload);
      await workload.volume.write(await workload.entra.cluster.issueServiceAccountToken());
      await pgpassd.waitFor(startedFor('rotation'));
      await pgpassd.waitFor('refresh.recovered');
    },
  );
});
