import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { noPsql, openPod } from './pod.ts';
import { untilLetIn, untilRefused } from './until.ts';

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

test.skipIf(noPsql)(
  'stopped by SIGSTOP past the expiry of its token, pgpassd has a fresh one in place within two seconds of SIGCONT (psql must be installed)',
  async (context) => {
    const pod = await openPod(azure, context, { accessTokenLifetimeSeconds: 3 });
    const pgpassd = pod.run();
    await pgpassd.waitFor('token.refreshed');
    pgpassd.signal('SIGSTOP');
    const { stderr } = await untilRefused(pod.client);
    expect(stderr).toContain('The access token has expired');

    pgpassd.signal('SIGCONT');
    const continuedAt = performance.now();
    await untilLetIn(pod.client);
    expect(performance.now() - continuedAt).toBeLessThan(2000);
    expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
    pgpassd.signal('SIGTERM');
    expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
  },
);
