import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RefreshEvent } from '../refresh/events.ts';
import { type DaemonState, nextAttempt } from '../refresh/state.ts';
import { refreshErrorCodes } from '../support/errors.ts';
import { registerProcess } from './process-metrics.ts';

export interface MetricsOptions {
  readonly state: () => DaemonState;
  readonly version: string;
  /** Of the Node.js that runs us. */
  readonly node: string;
  /** When the process started, by the wall clock. */
  readonly startedAtMs: number;
}

export interface Metrics {
  /** Counts what happened. */
  note(event: RefreshEvent): void;
  /** Everything in Prometheus' text format. */
  render(): Promise<string>;
  readonly contentType: string;
}

const RESULTS = ['success', 'error'] as const;

/** An exchange takes some 100 ms; attempts end at --request-timeout, 10 s by default. */
const EXCHANGE_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Metrics on a registry of their own; every series that can be is there from the start. */
export function createMetrics({ state, version, node, startedAtMs }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];

  /** Reads the state at each scrape; 0 stands for what has not happened yet. */
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
    'When the token in the passfile expires; 0 before the first.',
    ({ token }) => seconds(token?.expiresAtMs),
  );
  gauge(
    'pgpassd_token_issued_timestamp_seconds',
    'When the life of the token in the passfile began; 0 before the first.',
    ({ token }) => seconds(token?.issuedAtMs),
  );
  gauge(
    'pgpassd_refresh_last_success_timestamp_seconds',
    'When a token was obtained and put in place last; 0 before the first.',
    ({ lastSuccessAtMs }) => seconds(lastSuccessAtMs),
  );
  gauge(
    'pgpassd_refresh_next_timestamp_seconds',
    'When the next attempt is due; 0 before it is known.',
    (current) => {
      const next = nextAttempt(current);
      return next && seconds(next.endsAtMs ?? next.since.wallMs + next.delayMs);
    },
  );
  gauge(
    'pgpassd_refresh_consecutive_failures',
    'Attempts that failed since the last success.',
    ({ trouble }) => trouble?.failures,
  );
  gauge(
    'pgpassd_federated_token_expiry_timestamp_seconds',
    'When the federated token expires; 0 when it is unknown, or there is none.',
    ({ federatedTokenExpiresAtMs }) => seconds(federatedTokenExpiresAtMs),
  );
  new Gauge({
    name: 'pgpassd_build_info',
    help: 'Always 1; says what runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node }, 1);

  const refreshes = counter('pgpassd_refreshes_total', 'Attempts to refresh, by result.', [
    'result',
  ]);
  const errors = counter('pgpassd_refresh_errors_total', 'Failed attempts, by reason.', ['reason']);
  const writes = counter(
    'pgpassd_passfile_writes_total',
    'Times the passfile was, or should have been, replaced, by result.',
    ['result'],
  );
  const repairs = counter(
    'pgpassd_passfile_repairs_total',
    'Times the passfile was put back after somebody had changed it.',
  );
  const changes = counter(
    'pgpassd_federated_token_changes_total',
    'Times the federated token was seen to change.',
  );
  const exchanges = new Histogram({
    name: 'pgpassd_exchange_duration_seconds',
    help: 'How long the token endpoint, or the token command, took to answer or fail.',
    buckets: EXCHANGE_BUCKETS_SECONDS,
    registers,
  });
  for (const result of RESULTS) {
    refreshes.inc({ result }, 0);
    writes.inc({ result }, 0);
  }
  for (const reason of refreshErrorCodes) errors.inc({ reason }, 0);
  registerProcess(registry, startedAtMs);

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

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
