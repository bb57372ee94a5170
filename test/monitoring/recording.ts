import { createMetrics } from '../../src/observe/metrics.ts';
import {
  type DaemonState,
  initialState,
  type RefreshEvent,
  stateAfter,
} from '../../src/refresh/events.ts';
import { World, type WorldOptions } from '../simulation/world.ts';
import { readSamples } from './exposition.ts';
import { type Course, type Series, scrapedFrom, targetLabels } from './pod.ts';
import { STEP_SECONDS } from './promtool.ts';

/** Kubelet replaces a token of an hour when 80 % of its life is over. */
const FEDERATED_LIFE_MS = 3_600_000;
const ROTATION_SECONDS = 2_880;

/**
 * What Prometheus stores of a pgpassd in simulated time, whose wall clock starts at 0 as that of
 * promtool's unit tests does.
 */
export class Recording {
  readonly world: World;
  readonly #metrics = createMetrics({
    state: () => this.#state,
    version: '1.2.3',
    node: '24.0.0',
    process: { startedAtMs: 0, cpuSeconds: () => 1, residentBytes: () => 1 },
  });
  readonly #values = new Map<string, number[]>();
  #state: DaemonState = initialState;

  constructor(options: Omit<WorldOptions, 'onEvent'>) {
    this.world = new World({ ...options, onEvent: (event) => this.#notice(event) });
    const { clock } = this.world;
    clock.stepWallClock(-clock.now().wallMs);
    this.world.start();
  }

  get atSeconds(): number {
    return this.world.clock.now().wallMs / 1000;
  }

  /** As if it came from this pod. */
  seriesOf(pod: string = targetLabels.pod): Series {
    const courses = [...this.#values].map(([series, values]): [string, Course] => [
      scrapedFrom(pod, series),
      (at) => values[at / STEP_SECONDS],
    ]);
    return { [scrapedFrom(pod, 'up')]: () => 1, ...Object.fromEntries(courses) };
  }

  /** Scrapes until this second. */
  async runUntil(atSeconds: number): Promise<void> {
    while (this.atSeconds <= atSeconds) {
      if (this.atSeconds % ROTATION_SECONDS === 0) this.#rotate();
      for (const [series, value] of readSamples(await this.#metrics.render())) {
        const values = this.#values.get(series) ?? [];
        values.push(value);
        this.#values.set(series, values);
      }
      await this.world.clock.advance(STEP_SECONDS * 1000);
    }
  }

  #rotate(): void {
    this.#notice({
      type: 'federated-token.changed',
      identity: { issuer: undefined, subject: undefined, audience: [] },
      expiresAtMs: this.world.clock.now().wallMs + FEDERATED_LIFE_MS,
      refreshing: false,
    });
  }

  #notice(event: RefreshEvent): void {
    this.#state = stateAfter(this.#state, event, this.world.clock.now());
    this.#metrics.note(event);
    // The sources of a real pgpassd tell of it themselves.
    if (event.type === 'token.refreshed') {
      this.#metrics.note({ type: 'exchange.ended', succeeded: true, tookMs: event.tookMs });
    }
  }
}
