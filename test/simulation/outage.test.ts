import { describe, expect, test } from 'vitest';
import type { RefreshEvent } from '../../src/refresh/events.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { DAY_MS, unreachable, World, type WorldOptions } from './world.ts';

const OUTAGES = 10;
/** What a token with half of its life left survives, whenever it begins. */
const SURVIVABLE_SHARE = 0.45;
/** The slowest exchange of the simulated Entra. */
const EXCHANGE_MS = 2_000;

const tokens = [
  { life: '10-minute', lifeMs: 600_000 },
  { life: '75-minute', lifeMs: 4_500_000 },
  { life: '24-hour', lifeMs: DAY_MS },
];

const faults = [
  { fault: 'unreachable', error: unreachable() },
  {
    fault: 'asking for an hour of patience',
    error: new PgpassdError('entra.throttled', 'Too many', 'Wait.', {
      details: { nature: 'transient', retryAfterMs: 3_600_000 },
    }),
  },
  {
    fault: 'waiting for an operator',
    error: new PgpassdError('entra.refused', 'Refused', 'Mend it.', {
      details: { nature: 'operator' },
    }),
  },
] as const;

function startWorld(lifeMs: number, onEvent: WorldOptions['onEvent'] = () => {}): World {
  const world = new World({ lifetimeSeconds: () => lifeMs / 1000, onEvent });
  world.start();
  return world;
}

async function goDown(world: World, durationMs: number): Promise<void> {
  world.outage = unreachable();
  await world.clock.advance(durationMs);
  world.outage = undefined;
}

const last = <T extends RefreshEvent['type']>(world: World, type: T) =>
  world.events.findLast(
    (event): event is Extract<RefreshEvent, { type: T }> => event.type === type,
  );

describe.each(tokens)('with $life tokens, Entra being down ten times', ({ lifeMs }) => {
  const downMs = SURVIVABLE_SHARE * lifeMs;

  test('for 45 % of their life at random moments leaves no second without a valid token', async () => {
    const world = startWorld(lifeMs);
    for (let outage = 0; outage < OUTAGES; outage += 1) {
      // Time to recover from the one before; then any moment of a token's life.
      await world.clock.advance(120_000 + EXCHANGE_MS + world.random() * lifeMs);
      await goDown(world, downMs);
    }
    await world.clock.advance(Math.max(lifeMs, DAY_MS - world.clock.trueMs));
    await world.stop();

    expect(world.withoutTokenMs).toBe(0);
    expect(world.count('refresh.failed')).toBeGreaterThan(0);
    expect(world.refresher.failing).toBe(false);
  });

  test.each(faults)(
    'for 45 % of their life from the moment a refresh is due leaves no second without one: $fault',
    async ({ error }) => {
      let downSinceMs: number | undefined;
      const world = startWorld(lifeMs, ({ type }) => {
        if (type !== 'refresh.started' || downSinceMs !== undefined || !world.tokenValid) return;
        downSinceMs = world.clock.trueMs;
        world.outage = error;
      });
      for (let outage = 0; outage < OUTAGES; outage += 1) {
        while (downSinceMs === undefined) await world.clock.advance(10_000);
        await world.clock.advance(downSinceMs + downMs - world.clock.trueMs);
        expect(world.count('refresh.recovered')).toBe(outage);
        world.outage = undefined;
        const { retryInMs = 0 } = last(world, 'refresh.failed') ?? {};
        await world.clock.advance(retryInMs + EXCHANGE_MS);
        expect(world.count('refresh.recovered')).toBe(outage + 1);
        downSinceMs = undefined;
      }
      await world.stop();
      expect(world.withoutTokenMs).toBe(0);
    },
  );

  test('for longer than they live is over one backoff step after its return', async () => {
    const world = startWorld(lifeMs);
    for (let outage = 0; outage < OUTAGES; outage += 1) {
      await world.clock.advance(lifeMs * (0.1 + world.random()));
      await goDown(world, 1.6 * lifeMs);
      expect(world.tokenValid).toBe(false);
      const { retryInMs = 0 } = last(world, 'refresh.failed') ?? {};
      expect(retryInMs).toBeLessThanOrEqual(60_000);
      await world.clock.advance(retryInMs + EXCHANGE_MS);
      expect(world.tokenValid).toBe(true);
    }
    await world.stop();
  });
});

describe.each(tokens)('with $life tokens, the process', ({ lifeMs }) => {
  test('stopped until five minutes past expiry has a fresh token within 2 s of going on', async () => {
    const world = startWorld(lifeMs);
    await world.clock.advance(0.3 * lifeMs);
    await world.clock.stall(0.7 * lifeMs + 300_000);
    expect(world.tokenValid).toBe(false);
    await world.clock.advance(EXCHANGE_MS);
    expect(world.tokenValid).toBe(true);
    expect(world.exchanges).toBe(2);
    await world.stop();
  });

  test('lives through clock steps of a day, forth and back, without a gap', async () => {
    const world = startWorld(lifeMs);
    for (let step = 0; step < 60; step += 1) {
      await world.clock.advance(world.random() * lifeMs);
      world.clock.stepWallClock(step % 4 < 2 ? DAY_MS : -DAY_MS);
    }
    await world.stop();
    expect(world.withoutTokenMs).toBe(0);
    expect(world.refresher.failing).toBe(false);
  });
});
