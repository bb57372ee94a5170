import { describe, expect, test } from 'vitest';
import { PgpassdError } from '../../src/support/errors.ts';
import { Secret } from '../../src/support/secret.ts';
import { HOUR_MS, unreachable, World } from './world.ts';

const hourly = { lifetimeSeconds: () => 3600 };

describe('a token already in place', () => {
  const adopted = (agoMs: number, lifeMs: number) => ({
    ...hourly,
    adopted: (clock: World['clock']) => {
      const issuedAtMs = clock.now().wallMs - agoMs;
      return { token: new Secret('left'), issuedAtMs, expiresAtMs: issuedAtMs + lifeMs };
    },
  });

  test('with more than half of its life left serves until refresh is due, without an exchange', async () => {
    const world = new World(adopted(0.1 * HOUR_MS, HOUR_MS));
    world.outage = unreachable();
    world.start();
    await world.clock.advance(0.34 * HOUR_MS);
    expect(world.exchanges).toBe(0);
    expect(world.events.map(({ type }) => type)).toEqual(['passfile.adopted']);

    world.outage = undefined;
    await world.clock.advance(0.1 * HOUR_MS);
    expect(world.exchanges).toBe(1);
    await world.stop();
    expect(world.withoutTokenMs).toBe(0);
  });

  test('with less than half left stays in service while a new one is fetched, in the first half of that', async () => {
    const world = new World(adopted(0.6 * HOUR_MS, HOUR_MS));
    world.outage = unreachable();
    world.start();
    await world.clock.advance(0.21 * HOUR_MS);
    expect(world.exchanges).toBeGreaterThan(0);
    expect(world.tokenValid).toBe(true);
    expect(world.refresher.tokenInPlace).toBeDefined();
    await world.stop();
  });

  test('that has expired is not in service', async () => {
    const world = new World(adopted(2 * HOUR_MS, HOUR_MS));
    world.outage = unreachable();
    world.start();
    await world.clock.advance(10);
    expect(world.count('passfile.adopted')).toBe(0);
    expect(world.refresher.tokenInPlace).toBeUndefined();
    await world.stop();
  });

  test('dated in the future by a clock that was set back counts as new', async () => {
    const world = new World(adopted(-0.5 * HOUR_MS, HOUR_MS));
    world.start();
    await world.clock.advance(60_000);
    expect(world.count('passfile.adopted')).toBe(1);
    expect(world.exchanges).toBe(0);
    await world.stop();
  });
});

describe('a failing source', () => {
  test('is asked again and again while the current token stays in use, and a recovery is reported', async () => {
    const world = new World(hourly);
    world.start();
    await world.clock.advance(10_000);
    world.outage = unreachable();
    await world.clock.advance(0.75 * HOUR_MS);
    expect(world.count('refresh.failed')).toBeGreaterThan(10);
    expect(world.tokenValid).toBe(true);

    world.outage = undefined;
    await world.clock.advance(62_000);
    expect(world.count('refresh.recovered')).toBe(1);
    await world.stop();
    expect(world.withoutTokenMs).toBe(0);
  });

  test('is left alone for as long as it asks', async () => {
    const world = new World(hourly);
    const throttled = new PgpassdError('entra.throttled', 'too many', 'Wait.', {
      details: { retryAfterMs: 600_000 },
    });
    world.outage = throttled;
    world.start();
    await world.clock.advance(599_000);
    expect(world.exchanges).toBe(1);
    await world.clock.advance(65_000);
    expect(world.exchanges).toBe(2);
    await world.stop();
  });

  test('that failed a requested refresh is asked again, however long the token in place lasts', async () => {
    const world = new World(hourly);
    world.start();
    await world.clock.advance(10_000);
    world.outage = unreachable();
    world.refresher.ask('request');
    await world.clock.advance(30_000);
    expect(world.count('refresh.recovered')).toBe(0);
    world.outage = undefined;
    await world.clock.advance(62_000);
    expect(world.count('refresh.recovered')).toBe(1);
    expect(world.count('token.refreshed')).toBe(2);
    await world.stop();
  });
});

describe('asking for a refresh', () => {
  test('a hundred times in a second makes two exchanges at most', async () => {
    const world = new World(hourly);
    world.start();
    await world.clock.advance(60_000);
    const before = world.exchanges;
    for (let asked = 0; asked < 100; asked += 1) {
      world.refresher.ask('request');
      await world.clock.advance(10);
    }
    await world.clock.advance(60_000);
    expect(world.exchanges - before).toBeGreaterThan(0);
    expect(world.exchanges - before).toBeLessThanOrEqual(2);
    await world.stop();
  });
});

describe('a source that hands out the same token until it expires', () => {
  test('is not asked in a loop', async () => {
    const world = new World({ ...hourly, caching: true });
    world.start();
    await world.clock.advance(24 * HOUR_MS);
    await world.stop();
    // 3600 s halve nine times until 10 s are left, and again a few times to the end.
    expect(world.exchanges).toBeLessThan(24 * 20);
    expect(world.withoutTokenMs).toBeLessThan(24 * 3_000);
  });
});

test("the server's refresh_in wins over the fraction when it is earlier", async () => {
  const world = new World({ ...hourly, refreshInSeconds: 600 });
  world.start();
  await world.clock.advance(HOUR_MS);
  expect(world.exchanges).toBeGreaterThanOrEqual(6);
  expect(world.exchanges).toBeLessThanOrEqual(8);
  await world.stop();
});

test('tokens that live for a month are waited for, beyond the longest timer', async () => {
  const days = 60 * 24 * HOUR_MS;
  const world = new World({ lifetimeSeconds: () => days / 1000 });
  world.start();
  await world.clock.advance(days * 0.44);
  expect(world.exchanges).toBe(1);
  await world.clock.advance(days * 0.07);
  expect(world.exchanges).toBe(2);
  await world.stop();
});

test('a full disk costs one exchange, not one for every try', async () => {
  const world = new World(hourly);
  world.diskFull = true;
  world.start();
  await world.clock.advance(0.3 * HOUR_MS);
  expect(world.exchanges).toBe(1);
  expect(world.count('refresh.failed')).toBeGreaterThan(10);

  world.diskFull = false;
  await world.clock.advance(62_000);
  expect(world.exchanges).toBe(1);
  expect(world.tokenValid).toBe(true);
  await world.stop();
});

test('stopping in the middle of an exchange ends the run', async () => {
  const world = new World(hourly);
  world.start();
  await world.clock.advance(1);
  await world.stop();
  expect(world.exchanges).toBe(1);
  expect(world.events.map(({ type }) => type)).not.toContain('refresh.failed');
});
