import { rename } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { readFederatedToken } from '../../src/federated-token/federated-token.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { follow, LAYOUTS, ROTATIONS, tokenNumbered, volumeOf } from './following.ts';

describe.each(LAYOUTS)('on the %s layout', (layout) => {
  test('fifty rotations in a row are each noticed by polling alone', async () => {
    const volume = await volumeOf(layout);
    await volume.write(tokenNumbered(0));
    const clock = new FakeClock();
    const following = follow(volume.tokenPath, { clock, pollIntervalMs: 30_000, watching: false });
    await following.next();
    for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
      await clock.sleeping();
      const noticed = following.next();
      await volume.write(tokenNumbered(rotation));
      await clock.advance(30_000);
      const federated = await noticed;
      expect(federated.assertion.unwrap()).toBe(tokenNumbered(rotation));
    }
  });

  test('a rotation while a read is in progress is never seen half', async () => {
    const volume = await volumeOf(layout);
    // Larger than one read of a file, and of different lengths.
    const valid = new Set([tokenNumbered(1, 9_000), tokenNumbered(2, 40_000)]);
    const [one = '', other = ''] = valid;
    await volume.write(one);
    let rotating = true;
    let reads = 0;
    const reader = async () => {
      while (rotating) {
        const federated = await readFederatedToken(volume.tokenPath);
        if (!valid.has(federated.assertion.unwrap())) throw new Error('half a token');
        reads += 1;
      }
    };
    const readers = Promise.all([reader(), reader()]);
    for (let rotation = 0; rotation < 60; rotation += 1) {
      await volume.write(rotation % 2 === 0 ? other : one);
    }
    rotating = false;
    await expect(readers).resolves.toBeDefined();
    expect(reads).toBeGreaterThan(30);
  });
});

test.each(LAYOUTS)(
  'a %s volume mounted after the start is found by polling, then watched',
  async (layout) => {
    const volume = await volumeOf(layout);
    await volume.write(tokenNumbered(0));
    await rename(volume.root, `${volume.root}-unmounted`);
    const clock = new FakeClock();
    const following = follow(volume.tokenPath, { clock, pollIntervalMs: 30_000, watching: true });
    await clock.sleeping();
    const found = following.next();
    await rename(`${volume.root}-unmounted`, volume.root);
    await clock.advance(30_000);
    await found;

    await clock.sleeping();
    const rotated = following.next();
    await volume.write(tokenNumbered(1));
    expect((await rotated).assertion.unwrap()).toBe(tokenNumbered(1));
  },
);

test('a file touched without a change is not reported again', async () => {
  const volume = await volumeOf('plain');
  await volume.write(tokenNumbered(0));
  const clock = new FakeClock();
  const following = follow(volume.tokenPath, { clock, pollIntervalMs: 30_000, watching: false });
  await following.next();
  for (let poll = 0; poll < 5; poll += 1) {
    await clock.sleeping();
    await volume.write(tokenNumbered(0));
    await clock.advance(30_000);
  }
  const changed = following.next();
  await clock.sleeping();
  await volume.write(tokenNumbered(1));
  await clock.advance(30_000);
  await changed;
  expect(following.seen).toHaveLength(2);
});
