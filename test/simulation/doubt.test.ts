import { describe, expect, test } from 'vitest';
import { type DaemonState, initialState, isValid, stateAfter } from '../../src/refresh/events.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { Secret } from '../../src/support/secret.ts';
import { type Answer, DAY_MS, HOUR_MS, unreachable, World, type WorldOptions } from './world.ts';

const MINUTE_MS = 60_000;
const hourly: WorldOptions = { lifetimeSeconds: () => 3600 };

/** A world whose source answers as the test says. */
function worldAnswering(answer: (world: World) => Answer): World {
  const world: World = new World({ ...hourly, answer: () => answer(world) });
  return world;
}

describe('the same token again', () => {
  test('is no renewal: its end stays, and it is told once it has expired', async () => {
    const token = new Secret('kept-by-a-cache');
    const world = worldAnswering(() => ({ token, lifeSeconds: 3600 }));
    world.start();
    await world.clock.advance(MINUTE_MS);
    const end = world.refresher.tokenInPlace?.expiresAtMs;
    while (world.clock.trueMs < 59 * MINUTE_MS) {
      expect(world.refresher.tokenInPlace?.expiresAtMs).toBe(end);
      await world.clock.advance(MINUTE_MS);
    }
    expect(world.count('token.refreshed')).toBe(1);
    expect(world.count('token.unchanged')).toBeGreaterThan(2);

    await world.clock.advance(2 * MINUTE_MS);
    expect(world.refresher.tokenInPlace).toBeUndefined();
    expect(world.events.at(-1)).toMatchObject({
      type: 'refresh.failed',
      error: { code: 'token-source.failed' },
    });
    await world.stop();
  });

  test('is asked for at most every ten seconds, until there is another', async () => {
    let current = new Secret('one');
    const world = worldAnswering(() => ({ token: current, lifeSeconds: 60 }));
    world.start();
    await world.clock.advance(59_000);
    expect(world.exchanges).toBeLessThan(8);
    current = new Secret('two');
    await world.clock.advance(11_000);
    expect(world.count('token.refreshed')).toBe(2);
    await world.stop();
  });
});

describe('a template that changes while Entra is down', () => {
  const openOutage = async () => {
    const world = new World(hourly);
    world.start();
    await world.clock.advance(10_000);
    world.outage = unreachable();
    await world.clock.advance(33 * MINUTE_MS);
    expect(world.refresher.failing).toBe(true);
    return world;
  };
  const failuresOf = (world: World) =>
    world.events.flatMap((event) => (event.type === 'refresh.failed' ? [event] : []));

  test('is in force at once, and neither a recovery nor a reason to ask Entra sooner', async () => {
    const world = await openOutage();
    const exchanges = world.exchanges;
    const [last] = failuresOf(world).slice(-1);
    world.refresher.ask('template');
    await world.clock.advance(1_000);
    expect(world.count('passfile.written')).toBe(2);
    expect(world.exchanges).toBeLessThanOrEqual(exchanges + 1);
    expect(world.count('refresh.recovered')).toBe(0);
    await world.clock.advance(5 * MINUTE_MS);
    expect(failuresOf(world).at(-1)?.failures).toBeGreaterThan(last?.failures ?? 0);
    await world.stop();
  });

  test('and cannot be written is no recovery either when it is written at last', async () => {
    const world = await openOutage();
    const before = failuresOf(world).at(-1)?.failures ?? 0;
    world.diskFull = true;
    world.refresher.ask('template');
    await world.clock.advance(1_000);
    expect(failuresOf(world).at(-1)?.error.code).toBe('passfile.no-space');
    world.diskFull = false;
    await world.clock.advance(MINUTE_MS);
    expect(world.count('passfile.written')).toBe(2);
    expect(world.count('refresh.recovered')).toBe(0);
    expect(world.refresher.failing).toBe(true);

    await world.clock.advance(5 * MINUTE_MS);
    const entra = failuresOf(world).filter(({ error }) => error.code === 'entra.unreachable');
    expect(entra.at(-1)?.failures).toBeGreaterThan(before);
    world.outage = undefined;
    await world.clock.advance(3 * MINUTE_MS);
    expect(world.count('refresh.recovered')).toBe(1);
    expect(world.refresher.failing).toBe(false);
    await world.stop();
  });

  test('and cannot be written while Entra is there is a recovery of its own', async () => {
    const world = new World(hourly);
    world.start();
    await world.clock.advance(10_000);
    world.diskFull = true;
    world.refresher.ask('template');
    await world.clock.advance(MINUTE_MS);
    world.diskFull = false;
    await world.clock.advance(MINUTE_MS);
    expect(world.count('refresh.recovered')).toBe(1);
    expect(world.exchanges).toBe(1);
    await world.stop();
  });
});

test('a token that could not be written is kept while another one that was asked for cannot be had', async () => {
  const world = new World(hourly);
  world.diskFull = true;
  world.start();
  await world.clock.advance(10_000);
  world.outage = unreachable();
  world.refresher.ask('rotation');
  await world.clock.advance(10 * MINUTE_MS);
  world.diskFull = false;
  await world.clock.advance(2 * MINUTE_MS);
  expect(world.tokenValid).toBe(true);
  expect(world.count('token.refreshed')).toBe(1);
  world.outage = undefined;
  await world.clock.advance(3 * MINUTE_MS);
  expect(world.count('token.refreshed')).toBe(2);
  await world.stop();
});

test('a token that could not be written is followed by the one that was asked for', async () => {
  const world = new World(hourly);
  world.diskFull = true;
  world.start();
  await world.clock.advance(10_000);
  expect(world.exchanges).toBe(1);
  world.refresher.ask('request');
  world.diskFull = false;
  await world.clock.advance(5_000);
  expect(world.count('token.refreshed')).toBe(2);
  await world.stop();
});

test('a token that could not be written is written by the template that came meanwhile', async () => {
  const world = new World(hourly);
  world.diskFull = true;
  world.start();
  await world.clock.advance(10_000);
  world.refresher.ask('template');
  await world.clock.advance(2_000);
  const failures = world.count('refresh.failed');
  await world.clock.advance(1_000);
  expect(world.count('refresh.failed')).toBe(failures);
  world.diskFull = false;
  await world.clock.advance(MINUTE_MS);
  expect(world.count('token.refreshed')).toBe(1);
  expect(world.exchanges).toBe(1);
  await world.stop();
});

describe('a wall clock a day behind', () => {
  /** The answers tell their issuer's time, as Entra's do. */
  const open = async () => {
    let state: DaemonState = initialState;
    let issued = 0;
    const trueNowMs = () => Date.UTC(2026, 10, 1) + world.clock.trueMs;
    const world: World = new World({
      ...hourly,
      answer: () => {
        issued += 1;
        return {
          token: new Secret(`token-${issued}`),
          lifeSeconds: 3600,
          endsAtMs: trueNowMs() + HOUR_MS,
        };
      },
      onEvent: (event) => {
        state = stateAfter(state, event, world.clock.now());
      },
    });
    world.clock.stepWallClock(-DAY_MS);
    world.start();
    await world.clock.advance(10 * MINUTE_MS);
    const ready = () => state.token !== undefined && isValid(state.token, world.clock.now());
    return { world, ready, state: () => state };
  };

  test('that is set right leaves a good token in service, every second', async () => {
    const { world, ready, state } = await open();
    expect(ready()).toBe(true);
    world.clock.stepWallClock(DAY_MS);
    for (let second = 0; second < 30; second += 1) {
      expect(ready()).toBe(true);
      expect(world.refresher.tokenInPlace).toBeDefined();
      await world.clock.advance(1_000);
    }
    expect(world.exchanges).toBe(1);
    const ends = [state().token, world.refresher.tokenInPlace].map(
      (each) => each?.expiresAtMs ?? 0,
    );
    expect(Math.abs(Number(ends[0]) - Number(ends[1]))).toBeLessThan(2_000);
    await world.stop();
  });

  test('that is set right has its token refreshed when that is due', async () => {
    const { world } = await open();
    world.clock.stepWallClock(DAY_MS);
    await world.clock.advance(21 * MINUTE_MS);
    expect(world.exchanges).toBe(2);
    await world.stop();
  });

  test('does not lengthen the life of a token', async () => {
    const { world, ready } = await open();
    world.outage = unreachable();
    await world.clock.advance(51 * MINUTE_MS);
    expect(ready()).toBe(false);
    expect(world.refresher.tokenInPlace).toBeUndefined();
    await world.stop();
  });
});

test('a machine that was suspended past the end of its token knows so as soon as it is woken', async () => {
  const world = new World(hourly);
  world.start();
  await world.clock.advance(10_000);
  world.clock.suspend(2 * HOUR_MS);
  expect(world.refresher.tokenInPlace).toBeUndefined();
  world.refresher.wake();
  await world.clock.advance(2_000);
  expect(world.tokenValid).toBe(true);
  await world.stop();
});

test('a token in place that only a wrong clock made look expired is taken over when the clock is set right', async () => {
  const world = new World({
    ...hourly,
    adopted: () => {
      const issuedAtMs = Date.UTC(2026, 10, 1);
      return { token: new Secret('left'), issuedAtMs, expiresAtMs: issuedAtMs + HOUR_MS };
    },
  });
  world.outage = unreachable();
  world.clock.stepWallClock(DAY_MS);
  world.start();
  await world.clock.advance(10_000);
  expect(world.refresher.tokenInPlace).toBeUndefined();
  world.clock.stepWallClock(-DAY_MS);
  world.refresher.clockStepped();
  await world.clock.advance(1);
  expect(world.refresher.tokenInPlace?.remainingMs).toBeCloseTo(HOUR_MS - 10_000, -2);
  expect(world.count('passfile.adopted')).toBe(1);
  await world.stop();
});

describe('a rotation that calls for a refresh', () => {
  test('has one within five minutes while the token in place is valid', async () => {
    const world = new World(hourly);
    world.start();
    await world.clock.advance(10_000);
    world.refresher.ask('rotation');
    await world.clock.advance(303_000);
    expect(world.exchanges).toBe(2);
    await world.stop();
  });

  test('has one at once without a valid token', async () => {
    const world = new World(hourly);
    world.outage = new PgpassdError('federated-token.missing', 'missing', 'Mount it.');
    world.start();
    await world.clock.advance(60_000);
    world.outage = undefined;
    const before = world.exchanges;
    world.refresher.ask('rotation');
    await world.clock.advance(1);
    expect(world.exchanges).toBe(before + 1);
    await world.stop();
  });

  test('does not put off what an operator asks for', async () => {
    const world = new World(hourly);
    world.start();
    await world.clock.advance(10_000);
    world.refresher.ask('rotation');
    world.refresher.ask('request');
    world.refresher.ask('rotation');
    await world.clock.advance(1);
    expect(world.exchanges).toBe(2);
    await world.stop();
  });
});
