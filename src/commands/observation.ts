import { Heartbeat } from '../observe/heartbeat.ts';
import { type HttpServer, openHttpServer } from '../observe/http-server.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { createProbes } from '../observe/probes.ts';
import type { PassfileRefresher } from '../refresh/create-refresher.ts';
import type { RefreshEvent } from '../refresh/events.ts';
import { type DaemonState, initialState, stateAfter } from '../refresh/state.ts';
import { systemClock } from '../support/clock.ts';
import { PgpassdError } from '../support/errors.ts';
import type { Secret } from '../support/secret.ts';
import { LONGEST_FAREWELL_MS } from '../support/shutdown.ts';
import { type Address, sanitize } from '../support/text.ts';
import { VERSION } from '../version.ts';

/** What probes and metrics are views of, and where they are served. */
export class Observation {
  #state: DaemonState = initialState;
  readonly #secrets: readonly Secret[];
  readonly #metrics: Metrics = createMetrics({
    state: () => this.#state,
    version: VERSION,
    node: process.versions.node,
    startedAtMs: systemClock.now().wallMs - process.uptime() * 1000,
  });

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets;
  }

  notice(event: RefreshEvent): void {
    this.#state = stateAfter(this.#state, this.#presentable(event), systemClock.now());
    this.#metrics.note(event);
  }

  /** The probes show the last error to any client. */
  #presentable(event: RefreshEvent): RefreshEvent {
    if (event.type !== 'refresh.failed') return event;
    const { code, message, remedy, details } = event.error;
    const what = sanitize(message, this.#secrets);
    const advice = sanitize(remedy, this.#secrets);
    return { ...event, error: new PgpassdError(code, what, advice, { details }) };
  }

  /**
   * Serves until `signal` aborts and what has begun is answered. Resolves when the address is ours.
   *
   * @throws PgpassdError `config.invalid` when it cannot be
   */
  async serve(
    address: Address,
    refresher: PassfileRefresher,
    workLimitMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly port: number; readonly closed: Promise<void> }> {
    const heartbeat = new Heartbeat(systemClock);
    const probes = createProbes({
      clock: systemClock,
      state: () => this.#state,
      pulse: () => {
        const { at, napMs } = refresher.turn;
        return {
          turnedAtMs: at.monotonicMs,
          turnsWithinMs: napMs ?? workLimitMs,
          stallMs: heartbeat.stallMs,
        };
      },
      look: () => refresher.lookAtPassfile(),
    });
    const metrics = async () => ({
      status: 200,
      contentType: this.#metrics.contentType,
      body: await this.#metrics.render(),
    });
    const server = await openHttpServer(address, new Map([...probes, ['/metrics', metrics]]));
    return { port: server.port, closed: this.#close(server, heartbeat, signal) };
  }

  async #close(server: HttpServer, heartbeat: Heartbeat, signal: AbortSignal): Promise<void> {
    await heartbeat.run(signal);
    this.#state = { ...this.#state, stopping: true };
    const answered = new AbortController();
    await server.close(systemClock.sleep(LONGEST_FAREWELL_MS, answered.signal));
    answered.abort();
  }
}
