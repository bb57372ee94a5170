import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type DaemonState, nextAttempt, type RefreshEvent } from '../refresh/events.ts';
import { refreshErrorCodes } from '../support/errors.ts';

export interface MetricsOptions {
  readonly state: () => DaemonState;
  readonly version: string;
  /** The version of Node.js. */
  readonly node: string;
  readonly process: ProcessReadings;
}

interface ProcessReadings {
  /** When the process started, by the wall clock. */
  readonly startedAtMs: number;
  /** User and system CPU time since then. */
  cpuSeconds(): number;
  residentBytes(): number;
}

export interface Metrics {
  /** Counts what happened. */
  note(event: RefreshEvent): void;
  /** All metrics in Prometheus' text format. */
  render(): Promise<string>;
  readonly contentType: string;
}

const RESULTS = ['success', 'error'] as const;

/** An exchange takes about 100 ms; attempts end at --request-timeout, 10 s by default. */
const EXCHANGE_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Metrics on a registry of their own; every series whose labels are known exists from the start. */
export function createMetrics({ state, version, node, process }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];

  /** Read from the state at each scrape; 0 stands for what has not happened yet. */
  const gauge = (name: string, help: string, read: (state: DaemonState) => number | undefined) => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(state()) ?? 0);
      },
    });
  };
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers });

  gauge(
    'pgpassd_token_expiry_timestamp_seconds',
    'When the token in the passfile expires; 0 before the first token.',
    ({ token }) => toSeconds(token?.expiresAtMs),
  );
  gauge(
    'pgpassd_token_issued_timestamp_seconds',
    'When the life of the token in the passfile began; 0 before the first token.',
    ({ token }) => toSeconds(token?.issuedAtMs),
  );
  gauge(
    'pgpassd_refresh_last_success_timestamp_seconds',
    'When a new token was last written to the passfile; 0 before the first token.',
    ({ lastSuccessAtMs }) => toSeconds(lastSuccessAtMs),
  );
  gauge(
    'pgpassd_refresh_next_timestamp_seconds',
    'When the next refresh is due; 0 until that is known.',
    (current) => {
      const next = nextAttempt(current);
      return next && toSeconds(next.endsAtMs ?? next.since.wallMs + next.delayMs);
    },
  );
  gauge(
    'pgpassd_refresh_consecutive_failures',
    'Failed refreshes in a row since the last success.',
    ({ failure }) => failure?.failures,
  );
  gauge(
    'pgpassd_federated_token_expiry_timestamp_seconds',
    'When the federated token expires; 0 if that is unknown or there is none.',
    ({ federatedTokenExpiresAtMs }) => toSeconds(federatedTokenExpiresAtMs),
  );
  new Gauge({
    name: 'pgpassd_build_info',
    help: 'Always 1; the labels name the versions of pgpassd and Node.js.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node }, 1);

  const refreshes = counter('pgpassd_refreshes_total', 'Refreshes, by result.', ['result']);
  const errors = counter('pgpassd_refresh_errors_total', 'Failed refreshes, by reason.', [
    'reason',
  ]);
  const writes = counter(
    'pgpassd_passfile_writes_total',
    'Attempts to write the passfile, by result.',
    ['result'],
  );
  const repairs = counter(
    'pgpassd_passfile_repairs_total',
    'Times the passfile was restored after another process had changed it.',
  );
  const changes = counter(
    'pgpassd_federated_token_changes_total',
    'Changes of the federated token.',
  );
  const exchanges = new Histogram({
    name: 'pgpassd_exchange_duration_seconds',
    help: 'Time until the token endpoint, or the token command, answered or failed.',
    buckets: EXCHANGE_BUCKETS_SECONDS,
    registers,
  });
  for (const result of RESULTS) {
    refreshes.inc({ result }, 0);
    writes.inc({ result }, 0);
  }
  for (const reason of refreshErrorCodes) errors.inc({ reason }, 0);
  registerProcess(registry, process);

  return {
    note(event) {
      switch (event.type) {
        case 'token.refreshed':
          refreshes.inc({ result: 'success' });
          break;
        case 'refresh.failed':
          refreshes.inc({ result: 'error' });
          errors.inc({ reason: event.error.code });
          if (event.error.code.startsWith('passfile.')) writes.inc({ result: 'error' });
          break;
        case 'passfile.written':
          writes.inc({ result: 'success' });
          break;
        case 'passfile.repaired':
          writes.inc({ result: 'success' });
          repairs.inc();
          break;
        case 'passfile.repair-failed':
          writes.inc({ result: 'error' });
          break;
        case 'exchange.ended':
          exchanges.observe(event.tookMs / 1000);
          break;
        case 'federated-token.changed':
          changes.inc();
          break;
      }
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function toSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

/** Only these three: prom-client's default collectors take more memory than pgpassd itself. */
function registerProcess(registry: Registry, process: ProcessReadings): void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent.',
    registers,
    collect() {
      this.reset();
      this.inc(process.cpuSeconds());
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
    collect() {
      this.set(process.residentBytes());
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started.',
    registers,
  }).set(process.startedAtMs / 1000);
}
