import { describe, test } from 'vitest';
import { lastFailure, waitMsAfter } from '../faults/outage.ts';
import { msBetween } from '../faults/pod.ts';
import {
  aadsts,
  type Fault,
  serviceUnavailableHtml,
  tooManyRequests,
} from '../support/fake-entra/faults.ts';
import { openWorkload } from './workload.ts';

/** The log rounds a wait to a tenth of a second. */
const ROUNDED_MS = 100;

describe.concurrent('the next try comes no sooner than it was told', () => {
  test.for<[string, Fault]>([
    ['a gateway that fails', serviceUnavailableHtml()],
    ['a refusal', aadsts(700213, 401, 'invalid_client', 'No match.')],
    ['a throttle of two seconds', tooManyRequests('2')],
    ['a hang', { kind: 'hang' }],
    ['a reset', { kind: 'reset', when: 'before' }],
  ])('after %s', async ([, fault], { expect, onTestFinished }) => {
    const { entra, start } = await openWorkload({ onTestFinished });
    entra.faults.next(fault);
    const pgpassd = start(['run', '--request-timeout', '5s']);
    const recovered = await pgpassd.waitFor('refresh.recovered');
    const failed = lastFailure(pgpassd);
    expect(msBetween(failed, recovered)).toBeGreaterThan(waitMsAfter(failed) - ROUNDED_MS);
  });
});
