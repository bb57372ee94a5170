import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { temporarilyUnavailable } from '../support/fake-entra/faults.ts';
import { grantFor, portOf, probeUntil } from './probing.ts';
import { openWorkload } from './workload.ts';

const LIFE_MS = 2_000;

/** Between two clocks of one machine, and for what a file system rounds. */
const TOLERANCE_MS = 20;

test('/readyz turns to 503 when the token in place expires, and to 200 when a new one is in place', async () => {
  const { entra, passfile, start } = await openWorkload();
  entra.faults.next(grantFor(LIFE_MS / 1000));
  entra.faults.always(temporarilyUnavailable());
  const pgpassd = start(['run']);
  const port = await portOf(pgpassd);
  await pgpassd.waitFor('token.refreshed');
  await probeUntil(port, '/readyz', ({ status }) => status === 200, 5);

  const untilExpired = await probeUntil(port, '/readyz', ({ status }) => status !== 200, 5);
  const [lastReady, expired] = untilExpired.slice(-2);
  const { at: askedAtMs = Number.NaN } = entra.requests.find(({ issued }) => issued) ?? {};
  const expiresAtMs = expired?.tokenExpiresAtMs ?? Number.NaN;
  // Counted from before the request, so as not to outlive the token as its server sees it.
  expect(expiresAtMs).toBeLessThanOrEqual(askedAtMs + LIFE_MS);
  expect(expiresAtMs).toBeGreaterThan(askedAtMs + LIFE_MS - 1_000);
  expect(expired?.reason).toBe('the token in the passfile has expired');
  expect(expired?.answeredAtMs).toBeGreaterThan(expiresAtMs - TOLERANCE_MS);
  expect(lastReady?.askedAtMs).toBeLessThan(expiresAtMs + TOLERANCE_MS);

  const untilReady = probeUntil(port, '/readyz', ({ status }) => status === 200, 5);
  entra.faults.always(undefined);
  pgpassd.signal('SIGHUP');
  const [lastExpired, ready] = [...untilExpired, ...(await untilReady)].slice(-2);
  const { ctimeMs: inPlaceAtMs } = await stat(passfile);
  const toldAtMs = Date.parse((await pgpassd.waitFor('token.refreshed')).time);
  expect(toldAtMs - inPlaceAtMs).toBeLessThan(1_000);
  expect(ready?.answeredAtMs).toBeGreaterThan(inPlaceAtMs - TOLERANCE_MS);
  expect(lastExpired?.askedAtMs).toBeLessThan(toldAtMs + TOLERANCE_MS);
});
