import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createMetrics } from '../../src/observe/metrics.ts';
import {
  type DaemonState,
  initialState,
  type RefreshEvent,
  stateAfter,
  type TokenInPlace,
} from '../../src/refresh/events.ts';
import { PgpassdError, refreshErrorCodes } from '../../src/support/errors.ts';
import { findProgram } from '../support/postgres/clients.ts';
import { seriesOf } from './points.ts';

const NOW = { wallMs: Date.UTC(2026, 10, 24), monotonicMs: 5_000 };
const nowSeconds = NOW.wallMs / 1000;

const token: TokenInPlace = {
  expiresAtMs: NOW.wallMs + 3_000_000,
  remainingMs: 3_000_000,
  lifeMs: 3_600_000,
};

/** The text of a scrape after these events, and the value of each of its series. */
async function scrape(...events: RefreshEvent[]) {
  let state: DaemonState = initialState;
  const metrics = createMetrics({
    state: () => state,
    version: '1.2.3',
    node: '24.0.0',
    process: { startedAtMs: NOW.wallMs, cpuSeconds: () => 1, residentBytes: () => 1 },
  });
  for (const event of events) {
    state = stateAfter(state, event, NOW);
    metrics.note(event);
  }
  const text = await metrics.render();
  const series = seriesOf(text);
  return { text, series, value: (name: string) => series.get(name) };
}

const refreshed: RefreshEvent = {
  type: 'token.refreshed',
  token,
  refreshInMs: 1_800_000,
  tookMs: 5_000,
};

const failedWith = (
  code: 'entra.refused' | 'passfile.no-space',
  failures: number,
): RefreshEvent => ({
  type: 'refresh.failed',
  cause: 'due',
  error: new PgpassdError(code, 'x', 'y'),
  failures,
  token: undefined,
  expiredForMs: undefined,
  retryInMs: 10_000,
});

test('every series of the contract is there at the first scrape', async () => {
  const { series } = await scrape();
  const processes = [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'process_start_time_seconds',
  ];
  const alwaysZero = [
    'pgpassd_token_expiry_timestamp_seconds',
    'pgpassd_token_issued_timestamp_seconds',
    'pgpassd_refresh_last_success_timestamp_seconds',
    'pgpassd_refresh_next_timestamp_seconds',
    'pgpassd_refresh_consecutive_failures',
    'pgpassd_refreshes_total{result="success"}',
    'pgpassd_refreshes_total{result="error"}',
    ...refreshErrorCodes.map((reason) => `pgpassd_refresh_errors_total{reason="${reason}"}`),
    'pgpassd_exchange_duration_seconds_count',
    'pgpassd_exchange_duration_seconds_sum',
    'pgpassd_passfile_writes_total{result="success"}',
    'pgpassd_passfile_writes_total{result="error"}',
    'pgpassd_passfile_repairs_total',
    'pgpassd_federated_token_expiry_timestamp_seconds',
    'pgpassd_federated_token_changes_total',
  ];
  for (const name of alwaysZero) expect([name, series.get(name)]).toEqual([name, 0]);
  for (const name of processes) expect([name, series.get(name)]).not.toEqual([name, 0]);
  expect(series.get('pgpassd_build_info{version="1.2.3",node="24.0.0"}')).toBe(1);
  const buckets = [...series.keys()].filter((name) => name.includes('_bucket{'));
  expect(series.size).toBe(alwaysZero.length + processes.length + 1 + buckets.length);
});

test('a refresh shows in what it changes', async () => {
  const { value } = await scrape(
    { type: 'exchange.ended', succeeded: true, tookMs: 300 },
    { type: 'passfile.written' },
    refreshed,
  );
  expect(value('pgpassd_token_expiry_timestamp_seconds')).toBe(nowSeconds + 3_000);
  expect(value('pgpassd_token_issued_timestamp_seconds')).toBe(nowSeconds - 600);
  expect(value('pgpassd_refresh_last_success_timestamp_seconds')).toBe(nowSeconds);
  expect(value('pgpassd_refresh_next_timestamp_seconds')).toBe(nowSeconds + 1_800);
  expect(value('pgpassd_refreshes_total{result="success"}')).toBe(1);
  expect(value('pgpassd_passfile_writes_total{result="success"}')).toBe(1);
  expect(value('pgpassd_exchange_duration_seconds_count')).toBe(1);
  expect(value('pgpassd_exchange_duration_seconds_sum')).toBe(0.3);
});

test('failures are counted by reason, and those in a row are gone after a success', async () => {
  const failures = [failedWith('entra.refused', 1), failedWith('entra.refused', 2)];
  const during = await scrape(...failures);
  expect(during.value('pgpassd_refresh_consecutive_failures')).toBe(2);
  expect(during.value('pgpassd_refresh_errors_total{reason="entra.refused"}')).toBe(2);
  expect(during.value('pgpassd_refreshes_total{result="error"}')).toBe(2);
  expect(during.value('pgpassd_passfile_writes_total{result="error"}')).toBe(0);
  expect(during.value('pgpassd_refresh_next_timestamp_seconds')).toBe(nowSeconds + 10);

  const recovered: RefreshEvent = { type: 'refresh.recovered', failures: 2, lastedMs: 9_000 };
  const after = await scrape(...failures, refreshed, recovered);
  expect(after.value('pgpassd_refresh_consecutive_failures')).toBe(0);
  expect(after.value('pgpassd_refresh_errors_total{reason="entra.refused"}')).toBe(2);
});

test('a passfile that cannot be written, and one that was repaired, are counted as such', async () => {
  const { value } = await scrape(
    failedWith('passfile.no-space', 1),
    { type: 'passfile.repaired', damage: 'missing', repairs: 1 },
    { type: 'passfile.repair-failed', error: new PgpassdError('passfile.no-space', 'x', 'y') },
  );
  expect(value('pgpassd_passfile_writes_total{result="error"}')).toBe(2);
  expect(value('pgpassd_passfile_writes_total{result="success"}')).toBe(1);
  expect(value('pgpassd_passfile_repairs_total')).toBe(1);
});

test('rotations of the federated token are counted, and its expiry shown', async () => {
  const seen = (type: 'federated-token.found' | 'federated-token.changed'): RefreshEvent => ({
    type,
    identity: { issuer: undefined, subject: undefined, audience: [] },
    expiresAtMs: NOW.wallMs + 60_000,
    refreshing: false,
  });
  const { value } = await scrape(seen('federated-token.found'), seen('federated-token.changed'));
  expect(value('pgpassd_federated_token_changes_total')).toBe(1);
  expect(value('pgpassd_federated_token_expiry_timestamp_seconds')).toBe(nowSeconds + 60);
});

test.skipIf(findProgram('promtool') === undefined)(
  'promtool has nothing to complain of (with promtool)',
  async () => {
    const { text } = await scrape(refreshed, failedWith('entra.refused', 1));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  },
);
