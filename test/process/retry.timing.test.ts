import { describe, expect, type TestContext, test } from 'vitest';
import { lastFailure, waitMsAfter } from '../faults/outage.ts';
import { msBetween } from '../faults/pod.ts';
import {
  type Fault,
  serviceUnavailableHtml,
  tooManyRequests,
} from '../support/fake-entra/faults.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { canMount, mountTmpfs } from '../support/tmpfs.ts';
import { openWorkload, type Workload } from './workload.ts';

/** For the attempt itself. */
const ATTEMPT_MS = 3_000;

/** The log rounds a wait to a tenth of a second. */
const ROUNDED_MS = 100;

async function failOnce(workload: Workload): Promise<Pgpassd> {
  const pgpassd = workload.start(['run']);
  await pgpassd.waitFor('refresh.failed');
  return pgpassd;
}

async function expectRecoveryInTime(pgpassd: Pgpassd, name: string): Promise<void> {
  const recovered = await pgpassd.waitFor('refresh.recovered');
  const failed = lastFailure(pgpassd);
  const tookMs = msBetween(failed, recovered);
  expect(tookMs, name).toBeGreaterThan(waitMsAfter(failed) - ROUNDED_MS);
  expect(tookMs, name).toBeLessThan(waitMsAfter(failed) + ATTEMPT_MS);
}

async function failBy(fault: Fault, { onTestFinished }: TestContext): Promise<Pgpassd> {
  const workload = await openWorkload({ onTestFinished });
  workload.entra.faults.next(fault);
  return await failOnce(workload);
}

// A wait that pgpassd chooses, one that the server asks for, and one for a token that it has already. All of
// them mostly wait.
describe.concurrent('the next try comes when it was told', () => {
  test.for([
    ['a gateway that fails', serviceUnavailableHtml()],
    ['a throttle of two seconds', tooManyRequests('2')],
  ] as const)('after %s', async ([name, fault], context) => {
    await expectRecoveryInTime(await failBy(fault, context), name);
  });

  test('when SIGHUP asks for it', async (context) => {
    const pgpassd = await failBy(tooManyRequests('60'), context);
    const sentAt = performance.now();
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('refresh.recovered');
    expect(performance.now() - sentAt).toBeLessThan(ATTEMPT_MS);
  });

  test.skipIf(!canMount())(
    'after a passfile on a read-only volume (needs to mount a tmpfs)',
    async ({ onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished });
      const volume = await mountTmpfs(workload.directory, 64);
      onTestFinished(() => volume.unmount());
      const pgpassd = workload.start(['run']);
      await pgpassd.waitFor('token.refreshed');
      await volume.remount('ro');
      pgpassd.signal('SIGHUP');
      await pgpassd.waitFor('refresh.failed');
      await volume.remount('rw');
      await expectRecoveryInTime(pgpassd, 'volume');
    },
  );
});
