import { type Config, loadConfig } from '../config/load.ts';
import { asSentences, createEventLogger } from '../observe/event-logger.ts';
import { createProbes, Heartbeat } from '../observe/health.ts';
import { type HttpServer, openHttpServer } from '../observe/http-server.ts';
import type { Log } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import type { PassfileRefresher } from '../refresh/create-refresher.ts';
import {
  type DaemonState,
  initialState,
  type RefreshEvent,
  stateAfter,
} from '../refresh/events.ts';
import { systemClock } from '../support/clock.ts';
import { asPgpassdError } from '../support/errors.ts';
import type { Address } from '../support/network.ts';
import type { Secret } from '../support/secret.ts';
import { sanitize } from '../support/text.ts';
import { VERSION } from '../version.ts';
import { type Command, type CommandContext, LONGEST_FAREWELL_MS } from './command.ts';
import { createDaemon, withLog } from './daemon.ts';

/** Keeps the passfile current until it is stopped. */
export const run: Command = async (context) => {
  const config = loadConfig(context.flags, context.env, 'run');
  await withLog(config, context, (log) => keepCurrent(config, context, log));
  return 0;
};

async function keepCurrent(
  config: Config,
  { env, signal, onHangup, secrets }: CommandContext,
  log: Log,
): Promise<void> {
  const logEvent = createEventLogger(systemClock, log);
  const observation = new Observation(secrets);
  const daemon = await createDaemon(config, env, (event) => {
    observation.observe(event);
    logEvent(event);
  });
  const { httpAddress } = config;
  const served =
    httpAddress === 'off'
      ? undefined
      : await observation.serve(httpAddress, daemon, workLimitMs(config), signal);
  onHangup(() => daemon.refresh());
  log({
    level: 'info',
    event: 'started',
    message: `pgpassd ${VERSION} keeps ${config.passfile} current`,
    fields: {
      version: VERSION,
      node: process.versions.node,
      ...(config.template === undefined
        ? { entries: config.entries.length }
        : { template: config.template }),
      ...(served && { httpPort: served.port }),
    },
  });
  await daemon.run(signal);
  if (config.onExit === 'remove') {
    await daemon.remove().catch((error: unknown) => {
      const message = asSentences(asPgpassdError(error));
      log({ level: 'error', event: 'passfile.remove-failed', message, fields: {} });
    });
  }
  await served?.closed;
  log({ level: 'info', event: 'stopped', message: 'stopped', fields: { onExit: config.onExit } });
}

/** How long one turn of the loop may take: two exchanges, if the token rotates in between, and a slow disk. */
function workLimitMs({ requestTimeoutMs }: Config): number {
  return 2 * requestTimeoutMs + 30_000;
}

/** The daemon's state, derived from its events, and the probes and metrics served from it. */
class Observation {
  #state: DaemonState = initialState;
  readonly #secrets: readonly Secret[];
  readonly #metrics: Metrics = createMetrics({
    state: () => this.#state,
    version: VERSION,
    node: process.versions.node,
    process: {
      startedAtMs: systemClock.now().wallMs - process.uptime() * 1000,
      cpuSeconds: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
      residentBytes: () => process.memoryUsage.rss(),
    },
  });

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets;
  }

  observe(event: RefreshEvent): void {
    this.#state = stateAfter(this.#state, this.#sanitize(event), systemClock.now());
    this.#metrics.note(event);
  }

  /** The probes show the last error to every client. */
  #sanitize(event: RefreshEvent): RefreshEvent {
    if (event.type !== 'refresh.failed') return event;
    const { message, remedy } = event.error;
    const shown = (text: string) => sanitize(text, this.#secrets);
    return { ...event, error: event.error.withMessage(shown(message), shown(remedy)) };
  }

  /**
   * Resolves when the server listens. It serves until `signal` aborts and the requests that have begun are
   * answered.
   *
   * @throws PgpassdError `config.invalid` when it cannot listen on the address
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
