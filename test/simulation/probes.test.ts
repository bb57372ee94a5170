import { expect, onTestFinished, test } from 'vitest';
import { createProbes } from '../../src/observe/health.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import type { Damage } from '../../src/passfile/inspect.ts';
import {
  type DaemonState,
  initialState,
  nextAttempt,
  stateAfter,
} from '../../src/refresh/events.ts';
import { leftMs } from '../../src/refresh/schedule.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { lookThrough, type Point, views } from '../observe/points.ts';
import { World } from './world.ts';

const MINUTE_MS = 60_000;

/** Refreshed after 40 to 45 minutes. */
const LIFE_MS = 90 * MINUTE_MS;

/** An exchange in this world takes no longer. */
const EXCHANGE_MS = 2_000;

/** The refresher in simulated time, and what is served of it. */
class ObservedWorld {
  readonly world = new World({
    lifetimeSeconds: () => LIFE_MS / 1000,
    onEvent: (event) => {
      this.state = stateAfter(this.state, event, this.world.clock.now());
    },
  });
  state: DaemonState = initialState;
  /** What was done to the passfile. */
  damage: Damage | undefined;
  readonly #probes = createProbes({
    clock: this.world.clock,
    state: () => this.state,
    pulse: () => {
      const { at, napMs = 0 } = this.world.refresher.turn;
      return { turnedAtMs: at.monotonicMs, turnsWithinMs: napMs, stallMs: 0 };
    },
    look: async () => this.damage,
  });
  readonly #metrics = createMetrics({
    state: () => this.state,
    version: '1.2.3',
    node: '24.0.0',
    process: { startedAtMs: 0, cpuSeconds: () => 1, residentBytes: () => 1 },
  });

  async ask(path: string) {
    const view = this.#probes.get(path);
    return view === undefined ? { status: 200, body: await this.#metrics.render() } : await view();
  }

  async untilNextAttempt(): Promise<void> {
    const next = nextAttempt(this.state);
    if (next === undefined) throw new Error('no attempt is in sight');
    const { clock } = this.world;
    const attempts = () => this.world.count('refresh.started');
    const before = attempts();
    await clock.advance(leftMs(next, clock.now()));
    // Naps are whole milliseconds.
    if (attempts() === before) await clock.advance(1);
    expect(attempts()).toBe(before + 1);
  }

  async untilTokenLastsFor(ms: number): Promise<void> {
    const { expiresAtMs = 0 } = this.state.token ?? {};
    await this.world.clock.advance(expiresAtMs - ms - this.world.clock.now().wallMs);
  }
}

/** How each point is reached from the one before. */
const life: readonly [Point, (observed: ObservedWorld) => unknown][] = [
  [
    'starting',
    ({ world }) => {
      world.start();
      return world.clock.advance(10);
    },
  ],
  ['with its first token', ({ world }) => world.clock.advance(EXCHANGE_MS)],
  [
    'when a refresh is due',
    async (observed) => {
      await observed.untilNextAttempt();
      expect(observed.world.count('token.refreshed')).toBe(1);
    },
  ],
  [
    'failing with 40 minutes left',
    async (observed) => {
      observed.world.outage = new PgpassdError(
        'entra.unavailable',
        'Entra is unavailable',
        'Wait.',
      );
      await observed.untilTokenLastsFor(40 * MINUTE_MS);
    },
  ],
  ['with an expired token', (observed) => observed.untilTokenLastsFor(0)],
  [
    'recovered',
    async (observed) => {
      observed.world.outage = undefined;
      await observed.untilNextAttempt();
      await observed.world.clock.advance(EXCHANGE_MS);
    },
  ],
  [
    'without its passfile',
    (observed) => {
      observed.damage = 'missing';
    },
  ],
  [
    'with a loosened passfile',
    (observed) => {
      observed.damage = 'mode';
    },
  ],
  [
    'on a full disk',
    async (observed) => {
      observed.damage = undefined;
      observed.world.diskFull = true;
      observed.world.refresher.ask('request');
      await observed.world.clock.advance(EXCHANGE_MS);
    },
  ],
  [
    'stopping',
    async (observed) => {
      observed.world.diskFull = false;
      await observed.untilNextAttempt();
      await observed.world.clock.advance(EXCHANGE_MS);
      observed.state = { ...observed.state, stopping: true };
    },
  ],
];

const points = life.map(([point], index) => ({ point, path: life.slice(0, index + 1) }));

test.each(points)('a daemon $point says so on each of the four paths', async ({ point, path }) => {
  const observed = new ObservedWorld();
  onTestFinished(() => observed.world.stop());
  for (const [, reach] of path) await reach(observed);
  const now = () => observed.world.clock.now().wallMs;
  expect(await lookThrough((asked) => observed.ask(asked), now)).toEqual(views[point]);
});

test('a daemon is ready to the last millisecond of its token, and from the first of the next', async () => {
  const observed = new ObservedWorld();
  const { world } = observed;
  onTestFinished(() => world.stop());
  const isReady = async () => (await observed.ask('/readyz')).status === 200;
  world.start();
  await world.clock.advance(EXCHANGE_MS);
  world.outage = new PgpassdError('entra.unavailable', 'Entra is unavailable', 'Wait.');
  await observed.untilTokenLastsFor(1);
  expect(await isReady()).toBe(true);
  await world.clock.advance(1);
  expect(await isReady()).toBe(false);

  world.outage = undefined;
  await observed.untilNextAttempt();
  while (world.count('token.refreshed') < 2) {
    expect(await isReady()).toBe(false);
    await world.clock.advance(1);
  }
  expect(await isReady()).toBe(true);
});
