import { rename } from 'node:fs/promises';
import { setTimeout as wallTimer } from 'node:timers';
import { afterEach, describe, expect, test } from 'vitest';
import { createTokenFollower } from '../../src/federated-token/follow.ts';
import { readFederatedToken } from '../../src/federated-token/read.ts';
import type { FederatedToken } from '../../src/federated-token/token.ts';
import type { Clock } from '../../src/support/clock.ts';
import { systemClock } from '../../src/support/system-clock.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createProjectedVolume, type ProjectedVolume } from '../support/projected-volume.ts';

const LAYOUTS = ['flat', 'nested', 'plain'] as const;
const ROTATIONS = 50;
const NOTICED_WITHIN_MS = 2_000;

const releases: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/** An unsigned stand-in: following looks at content only. */
function tokenNumbered(number: number, padding = 0): string {
  const payload = {
    sub: 'system:serviceaccount:shop:legacy-app',
    number,
    pad: 'x'.repeat(padding),
  };
  return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
}

interface Following {
  readonly seen: FederatedToken[];
  readonly watchFailures: unknown[];
  /** Resolves with the next token told after the call; rejects when it takes longer than allowed. */
  next(withinMs?: number): Promise<FederatedToken>;
}

function follow(
  path: string,
  how: { clock: Clock; pollIntervalMs: number; watching: boolean },
): Following {
  const seen: FederatedToken[] = [];
  const watchFailures: unknown[] = [];
  let tell = (_: FederatedToken) => {};
  const stop = new AbortController();
  const following = createTokenFollower({
    path,
    ...how,
    onToken: (federated) => {
      seen.push(federated);
      tell(federated);
    },
    onWatchFailed: (error) => watchFailures.push(error),
  }).run(stop.signal);
  releases.push(() => {
    stop.abort();
    return following;
  });
  const next = (withinMs = NOTICED_WITHIN_MS) =>
    new Promise<FederatedToken>((resolve, reject) => {
      const late = wallTimer(() => reject(new Error(`nothing within ${withinMs} ms`)), withinMs);
      tell = (federated) => {
        clearTimeout(late);
        resolve(federated);
      };
    });
  return { seen, watchFailures, next };
}

async function volumeOf(layout: 'flat' | 'nested' | 'plain'): Promise<ProjectedVolume> {
  const volume = await createProjectedVolume({ layout });
  releases.push(() => volume.close());
  return volume;
}

describe.each(LAYOUTS)('on the %s layout', (layout) => {
  test(`fifty rotations in a row are each noticed within ${NOTICED_WITHIN_MS / 1000} s by watching alone`, async () => {
    const volume = await volumeOf(layout);
    await volume.write(tokenNumbered(0));
    const following = follow(volume.tokenPath, {
      clock: systemClock,
      pollIntervalMs: Number.POSITIVE_INFINITY,
      watching: true,
    });
    await following.next();
    for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
      const noticed = following.next();
      await volume.write(tokenNumbered(rotation));
      const federated = await noticed;
      expect(federated.assertion.unwrap()).toBe(tokenNumbered(rotation));
    }
    expect(following.seen).toHaveLength(ROTATIONS + 1);
    expect(following.watchFailures).toEqual([]);
  });

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
    for (let rotation = 0; rotation < 200; rotation += 1) {
      await volume.write(rotation % 2 === 0 ? other : one);
    }
    rotating = false;
    await expect(readers).resolves.toBeDefined();
    expect(reads).toBeGreaterThan(100);
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

test('a file touched without a change is not told again', async () => {
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
