import { expect, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/random.ts';
import { unreachable, World } from './world.ts';

const PODS = 1_000;
const LIFE_MS = 4_500_000;

test('a thousand pods that lose Entra together come back without a spike', async () => {
  const clock = new FakeClock();
  const random = seededRandom(75);
  const attemptsInSecond = new Map<number, number>();
  const pods = Array.from({ length: PODS }, (_, seed) => {
    const pod = new World({
      lifetimeSeconds: () => LIFE_MS / 1000,
      clock,
      seed,
      onEvent: ({ type }) => {
        if (type !== 'refresh.started') return;
        const second = Math.floor(clock.trueMs / 1000);
        attemptsInSecond.set(second, (attemptsInSecond.get(second) ?? 0) + 1);
      },
    });
    return { pod, startsAtMs: random() * (LIFE_MS / 2) };
  });
  for (const { pod, startsAtMs } of pods.sort((a, b) => a.startsAtMs - b.startsAtMs)) {
    await clock.advance(startsAtMs - clock.trueMs);
    pod.start();
  }
  await clock.advance(LIFE_MS / 2 - clock.trueMs);

  for (const { pod } of pods) pod.outage = unreachable();
  await clock.advance(0.45 * LIFE_MS);
  const failing = pods.filter(({ pod }) => pod.refresher.failing).length;
  const returnedAtSecond = Math.floor(clock.trueMs / 1000);
  for (const { pod } of pods) pod.outage = undefined;
  await clock.advance(125_000);
  for (const { pod } of pods) await pod.stop();

  expect(failing).toBeGreaterThan(0.9 * PODS);
  expect(pods.filter(({ pod }) => pod.refresher.failing)).toEqual([]);
  expect(pods.filter(({ pod }) => pod.withoutTokenMs > 0)).toEqual([]);
  const comingBack = [...attemptsInSecond].filter(([second]) => second >= returnedAtSecond);
  const busiest = Math.max(...comingBack.map(([, attempts]) => attempts));
  expect(busiest).toBeLessThan(0.03 * PODS);
});
