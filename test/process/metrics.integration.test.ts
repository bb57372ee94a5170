import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { refreshErrorCodes } from '../../src/support/errors.ts';
import { VERSION } from '../../src/version.ts';
import { ask } from '../observe/clients.ts';
import { seriesOf } from '../observe/points.ts';
import { aadsts } from '../support/fake-entra/faults.ts';
import { portOf } from './probing.ts';
import { openWorkload } from './workload.ts';

async function scrape(port: number) {
  const { status, body: text } = await ask({ port }, { path: '/metrics' });
  expect(status).toBe(200);
  return { text, series: seriesOf(text) };
}

/** Entra's default here, of which it tells a second less. */
const LIFE_SECONDS = 3_599;

/** The names that dashboards and alerts rest on, and their types. */
const contract = {
  pgpassd_token_expiry_timestamp_seconds: 'gauge',
  pgpassd_token_issued_timestamp_seconds: 'gauge',
  pgpassd_refresh_last_success_timestamp_seconds: 'gauge',
  pgpassd_refresh_next_timestamp_seconds: 'gauge',
  pgpassd_refresh_consecutive_failures: 'gauge',
  pgpassd_refreshes_total: 'counter',
  pgpassd_refresh_errors_total: 'counter',
  pgpassd_exchange_duration_seconds: 'histogram',
  pgpassd_passfile_writes_total: 'counter',
  pgpassd_passfile_repairs_total: 'counter',
  pgpassd_federated_token_expiry_timestamp_seconds: 'gauge',
  pgpassd_federated_token_changes_total: 'counter',
  pgpassd_build_info: 'gauge',
  process_cpu_seconds_total: 'counter',
  process_resident_memory_bytes: 'gauge',
  process_start_time_seconds: 'gauge',
};

const labelled = [
  'pgpassd_refreshes_total{result="success"}',
  'pgpassd_refreshes_total{result="error"}',
  ...refreshErrorCodes.map((reason) => `pgpassd_refresh_errors_total{reason="${reason}"}`),
  'pgpassd_passfile_writes_total{result="success"}',
  'pgpassd_passfile_writes_total{result="error"}',
];

test('the first scrape, before any token, has every name and every label that is known beforehand, at 0', async () => {
  const { entra, start } = await openWorkload();
  entra.faults.always({ kind: 'hang' });
  const pgpassd = start(['run']);
  const { text, series } = await scrape(await portOf(pgpassd));

  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  expect(Object.fromEntries(types.map(([, name, type]) => [name, type]))).toEqual(contract);
  for (const name of labelled) expect([name, series.get(name)]).toEqual([name, 0]);
  const build = `pgpassd_build_info{version="${VERSION}",node="${process.versions.node}"}`;
  expect(series.get(build)).toBe(1);
  // The token file may have been read by now.
  const others = /^(process_|pgpassd_build_info|pgpassd_federated_token_expiry)/;
  const counted = [...series].filter(([name]) => !others.test(name));
  expect(counted.filter(([, value]) => value !== 0)).toEqual([]);
});

test('after a life with a success, a failure, a repair and a rotation the metrics say so', async () => {
  const { entra, volume, passfile, start } = await openWorkload();
  const pgpassd = start(['run']);
  await pgpassd.waitFor('token.refreshed');
  await pgpassd.waitFor('federated-token.found');
  entra.faults.next(aadsts(700213, 401, 'invalid_client', 'No match.'));
  pgpassd.signal('SIGHUP');
  const refreshed = await pgpassd.waitFor('token.refreshed');
  await pgpassd.waitFor('refresh.recovered');
  await rm(passfile);
  await pgpassd.waitFor('passfile.repaired');
  await volume.write(await entra.cluster.issueServiceAccountToken());
  const changed = await pgpassd.waitFor('federated-token.changed');

  const { series } = await scrape(await portOf(pgpassd));
  const value = (name: string) => series.get(`pgpassd_${name}`);
  expect(value('refreshes_total{result="success"}')).toBe(2);
  expect(value('refreshes_total{result="error"}')).toBe(1);
  expect(value('refresh_errors_total{reason="entra.refused"}')).toBe(1);
  expect(value('refresh_consecutive_failures')).toBe(0);
  expect(value('exchange_duration_seconds_count')).toBe(3);
  expect(value('exchange_duration_seconds_bucket{le="30"}')).toBe(3);
  expect(value('exchange_duration_seconds_sum')).toBeGreaterThan(0);
  expect(value('passfile_writes_total{result="success"}')).toBe(3);
  expect(value('passfile_writes_total{result="error"}')).toBe(0);
  expect(value('passfile_repairs_total')).toBe(1);
  expect(value('federated_token_changes_total')).toBe(1);

  const secondsOf = (time: unknown) => Date.parse(String(time)) / 1000;
  const within = (name: string, seconds: number) =>
    expect(Math.abs((value(name) ?? Number.NaN) - seconds), name).toBeLessThan(1);
  const expiry = secondsOf(refreshed['tokenExpiresAt']);
  within('token_expiry_timestamp_seconds', expiry);
  within('token_issued_timestamp_seconds', expiry - LIFE_SECONDS);
  within('refresh_last_success_timestamp_seconds', secondsOf(refreshed.time));
  const next = secondsOf(refreshed.time) + Number(refreshed['nextRefreshInSeconds']);
  within('refresh_next_timestamp_seconds', next);
  within('federated_token_expiry_timestamp_seconds', secondsOf(changed['federatedTokenExpiresAt']));
});
