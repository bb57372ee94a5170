import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, World, type WorldOptions } from './world.ts';

const MONTH_MS = 30 * DAY_MS;
const FRACTION = 0.5;

const tokens: { life: string; lifetimeSeconds: WorldOptions['lifetimeSeconds'] }[] = [
  { life: '10-minute', lifetimeSeconds: () => 600 },
  { life: '60-to-90-minute', lifetimeSeconds: (random) => 3600 + random() * 1800 },
  { life: '24-hour', lifetimeSeconds: () => 86_400 },
];

/** How many exchanges a month takes when each comes exactly when its token is due. */
function demandedExchanges(world: World, durationMs: number): number {
  const meanLifeMs = (world.issuedSeconds * 1000) / world.exchanges;
  return 1 + durationMs / (FRACTION * meanLifeMs);
}

describe.each(tokens)('thirty days with $life tokens', ({ lifetimeSeconds }) => {
  test('not a second without a valid token, and no more exchanges than they demand', async () => {
    const world = new World({ lifetimeSeconds, refreshFraction: FRACTION });
    world.start();
    await world.clock.advance(MONTH_MS);
    await world.stop();

    expect(world.withoutTokenMs).toBe(0);
    const demanded = demandedExchanges(world, MONTH_MS);
    expect(world.exchanges).toBeGreaterThanOrEqual(Math.floor(demanded * 0.99));
    expect(world.exchanges).toBeLessThanOrEqual(demanded * 1.15);
    expect(world.count('refresh.failed')).toBe(0);
  });

  test('clock steps of an hour, forth and back, leave no gap and cost an exchange at most', async () => {
    const world = new World({ lifetimeSeconds, refreshFraction: FRACTION });
    world.start();
    let steps = 0;
    for (let passedMs = 0; passedMs < MONTH_MS; passedMs += 12.3 * HOUR_MS) {
      await world.clock.advance(12.3 * HOUR_MS);
      world.clock.stepWallClock(steps % 2 === 0 ? HOUR_MS : -HOUR_MS);
      steps += 1;
    }
    await world.stop();

    expect(world.withoutTokenMs).toBe(0);
    const demanded = demandedExchanges(world, world.clock.trueMs);
    expect(world.exchanges).toBeLessThanOrEqual(demanded * 1.15 + steps);
  });

  test('after a suspend of three hours one exchange brings a fresh token', async () => {
    const world = new World({ lifetimeSeconds, refreshFraction: FRACTION });
    world.start();
    // Not due yet, but within the suspend.
    await world.clock.advance(lifetimeSeconds(() => 0) * 1000 * FRACTION * 0.8);
    const before = world.exchanges;

    world.clock.suspend(3 * HOUR_MS);
    // The longest nap, then the slowest exchange.
    await world.clock.advance(30_000 + 2_000);

    expect(world.exchanges - before).toBe(1);
    expect(world.tokenValid).toBe(true);
    expect(world.refresher.tokenInPlace?.remainingMs).toBeGreaterThan(0);
    await world.stop();
  });
});
