import { expect, test } from 'vitest';
import { ask } from '../observe/clients.ts';
import { seriesOf } from '../observe/points.ts';
import { aadsts } from '../support/fake-entra/faults.ts';
import { portOf } from './probing.ts';
import { openWorkload } from './workload.ts';

const probes = ['/startupz', '/readyz', '/livez'];

test('GET and HEAD are answered on the four paths, and nothing else is', async () => {
  const { start } = await openWorkload();
  const pgpassd = start(['run']);
  await pgpassd.waitFor('token.refreshed');
  const port = await portOf(pgpassd);
  for (const path of [...probes, '/metrics']) {
    const { status, headers, body } = await ask({ port }, { path });
    expect({ path, status, type: headers['content-type'] }).toEqual({
      path,
      status: 200,
      type: path === '/metrics' ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/json',
    });
    expect(headers['content-length']).toBe(`${Buffer.byteLength(body)}`);
    const head = await ask({ port }, { path, method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-type']).toBe(headers['content-type']);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const refused = await ask({ port }, { path, method });
      expect(refused.status).toBe(405);
      expect(refused.headers.allow).toBe('GET, HEAD');
    }
  }
  for (const path of ['/', '/healthz', '/metrics/', '/..', '//livez']) {
    expect((await ask({ port }, { path })).status).toBe(404);
  }
});

test('probes, metrics and the log tell a failure alike', async () => {
  const { entra, start } = await openWorkload();
  // Long enough before the next try to ask for everything.
  entra.faults.always(aadsts(50196, 429, 'invalid_request', 'A loop.'));
  const pgpassd = start(['run']);
  const { reason, msg, time, nextTryInSeconds, ...fields } =
    await pgpassd.waitFor('refresh.failed');
  expect(fields).toMatchObject({ aadsts: 'AADSTS50196', failures: 1 });
  const port = await portOf(pgpassd);
  for (const path of probes) {
    const { lastError, ...others } = JSON.parse((await ask({ port }, { path })).body);
    expect(Object.keys(others)).toEqual(['status', 'reason']);
    const { code, message, at, ...details } = lastError;
    expect(code).toBe(reason);
    expect(msg).toContain(message);
    expect(Math.abs(Date.parse(at) - Date.parse(time))).toBeLessThan(1_000);
    expect(fields).toMatchObject(details);
    expect(Object.keys(details)).toEqual(
      expect.arrayContaining(['remedy', 'failures', 'status', 'correlationId', 'traceId']),
    );
  }
  const series = seriesOf((await ask({ port }, { path: '/metrics' })).body);
  expect(series.get(`pgpassd_refresh_errors_total{reason="${reason}"}`)).toBe(1);
  expect(series.get('pgpassd_refresh_consecutive_failures')).toBe(1);
  const nextTryAtMs = Date.parse(time) + Number(nextTryInSeconds) * 1000;
  const nextMs = Number(series.get('pgpassd_refresh_next_timestamp_seconds')) * 1000;
  expect(Math.abs(nextMs - nextTryAtMs)).toBeLessThan(1_000);
});
