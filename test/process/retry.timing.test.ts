import { describe, expect, test } from 'vitest';
import { lastFailure, waitMsAfter } from '../faults/outage.ts';
import { msBetween } from '../faults/pod.ts';
import {
  aadsts,
  type Fault,
  serviceUnavailableHtml,
  tooManyRequests,
} from '../support/fake-entra/faults.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { openWorkload } from './workload.ts';

/** For the attempt itself. */
const ATTEMPT_MS = 3_000;

/** The log rounds a wait to a tenth of a second. */
const ROUNDED_MS = 100;

async function failOnce(fault: Fault): Promise<Pgpassd> {
  const { entra, start } = await openWorkload();
  entra.faults.next(fault);
  const pgpassd = start(['run', '--request-timeout', '2s']);
  await pgpassd.waitFor('refresh.failed');
  return pgpassd;
}

describe('the next try comes when it was told', () => {
  test.each<[string, Fault]>([
    ['a gateway that fails', serviceUnavailableHtml()],
    ['a refusal', aadsts(700213, 401, 'invalid_client', 'No match.')],
    ['a throttle of two seconds', tooManyRequests('2')],
    ['a hang', { kind: 'hang' }],
    ['a reset', { kind: 'reset', when: 'before' }],
  ])('after %s', async (_name, fault) => {
    const pgpassd = await failOnce(fault);
    const recovered = await pgpassd.waitFor('refresh.recovered');
    const failed = lastFailure(pgpassd);
    const tookMs = msBetween(failed, recovered);
    expect(tookMs).toBeGreaterThan(waitMsAfter(failed) - ROUNDED_MS);
    expect(tookMs).toBeLessThan(waitMsAfter(failed) + ATTEMPT_MS);
  });

  test('or at once when SIGHUP asks for it', async () => {
    const pgpassd = await failOnce(tooManyRequests('60'));
    const sentAt = performance.now();
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('refresh.recovered');
    expect(performance.now() - sentAt).toBeLessThan(ATTEMPT_MS);
  });
});
