import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/support/clock.ts';
import { follow, LAYOUTS, ROTATIONS, tokenNumbered, volumeOf } from './following.ts';

const NOTICED_WITHIN_MS = 2_000;

describe.each(LAYOUTS)('on the %s layout', (layout) => {
  test(`fifty rotations in a row are each noticed within ${NOTICED_WITHIN_MS / 1000} s by watching alone`, async () => {
    const volume = await volumeOf(layout);
    await volume.write(tokenNumbered(0));
    const following = follow(volume.tokenPath, {
      clock: systemClock,
      pollIntervalMs: Number.POSITIVE_INFINITY,
      watching: true,
    });
    await following.next(NOTICED_WITHIN_MS);
    for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
      const noticed = following.next(NOTICED_WITHIN_MS);
      await volume.write(tokenNumbered(rotation));
      const federated = await noticed;
      expect(federated.assertion.unwrap()).toBe(tokenNumbered(rotation));
    }
    expect(following.seen).toHaveLength(ROTATIONS + 1);
    expect(following.watchFailures).toEqual([]);
  });
});
