import { describe, expect, test } from 'vitest';
import { canMountDeadVolume } from '../support/dead-volume.ts';
import { openWorkloadOnDeadVolume, untilItHangs } from './on-dead-volume.ts';

describe.skipIf(!canMountDeadVolume())(
  'on a volume that does not answer (needs to mount with FUSE)',
  () => {
    test('run ends within a second of SIGTERM', async () => {
      const { start } = await openWorkloadOnDeadVolume();
      const pgpassd = start(['run']);
      await untilItHangs(pgpassd);
      pgpassd.signal('SIGTERM');
      const askedAt = performance.now();
      expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
      // A second is promised, and the volume never answers. A busy machine gets two more.
      expect(performance.now() - askedAt).toBeLessThan(3_000);
      expect(pgpassd.errors()).toBe('');
    });
  },
);
