import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { commandHere } from '../support/command-here.ts';
import { findLeaks } from '../support/leak-check.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';
import { metric, portOf, probe } from './probing.ts';
import { openWorkload } from './workload.ts';

/** Far more than a start takes, also on a busy machine: the token must not expire before. */
const LIFE_SECONDS = 12;

/** Often enough to see when the answer changes, and no load. */
const PROBE_INTERVAL_MS = 100;

/** What no webhook sets where there is no workload identity. */
const alone = { AZURE_TENANT_ID: '', AZURE_CLIENT_ID: '', AZURE_FEDERATED_TOKEN_FILE: '' };

type Probed = Awaited<ReturnType<typeof probe>>;

/** `wait` for what is in the passfile, as long as it takes to look once. */
async function waitOnce(passfile: string): Promise<number> {
  const env = { PGPASSFILE: passfile, PGPASSD_TIMEOUT: '1s', PGPASSD_MIN_VALIDITY: '1s' };
  return (await commandHere(['wait'], env, onTestFinished)).exitCode;
}

/** The last answer that is ready, and the first that says why not; a busy machine may not see the file in time. */
async function untilExpired(port: number): Promise<[Probed, Probed]> {
  let lastReady = await probe(port, '/readyz');
  for await (const _ of setInterval(PROBE_INTERVAL_MS)) {
    const probed = await probe(port, '/readyz');
    if (probed.reason.includes('expired')) return [lastReady, probed];
    if (probed.status === 200) lastReady = probed;
  }
  throw new Error('unreachable: the intervals never end');
}

test('a command that claims an hour for a token it keeps is not believed, by probes, metrics and wait alike', async () => {
  const { directory, passfile, startHere } = await openWorkload();
  const exp = Math.floor(Date.now() / 1000) + LIFE_SECONDS;
  const token = unsignedJwt({ exp, sub: 'app' });
  const printed = join(directory, 'printed');
  await writeFile(printed, JSON.stringify({ access_token: token, expires_in: 3600 }));
  const pgpassd = startHere(['run', '--token-command', `cat ${printed}`], { env: alone });
  await pgpassd.waitFor('token.refreshed');
  const port = await portOf(pgpassd);
  expect(await metric(pgpassd, 'pgpassd_token_expiry_timestamp_seconds')).toBeCloseTo(exp, 0);

  const [lastReady, expired] = await untilExpired(port);
  // Neither was wrong when it was given, however long each of them took.
  expect(lastReady.status).toBe(200);
  expect(expired.status).toBe(503);
  expect(lastReady.askedAtMs).toBeLessThan(exp * 1000 + 100);
  expect(expired.answeredAtMs).toBeGreaterThan(exp * 1000 - 100);
  expect(Math.abs(Number(expired.tokenExpiresAtMs) - exp * 1000)).toBeLessThan(500);
  expect(await waitOnce(passfile)).toBe(7);
  const failed = await pgpassd.waitFor('refresh.failed');
  expect(failed).toMatchObject({ reason: 'token-command.bad-output' });
  expect(await metric(pgpassd, 'pgpassd_refreshes_total{result="success"}')).toBe(1);
  expect(findLeaks(pgpassd.output(), [token])).toEqual([]);
});
