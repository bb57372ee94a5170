import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { DeadlinePassed, withDeadline } from '../../src/support/clock.ts';
import { manualClock } from './manual-clock.ts';

const epoch = { wallMs: 0, monotonicMs: 0 };

/** Work that ends only when its signal does, as a hanging request. */
const hang = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe('work with a deadline', () => {
  test('gives its result when it is done in time', async () => {
    const clock = manualClock(epoch);
    const { signal } = new AbortController();
    await expect(withDeadline(clock, 10_000, signal, async () => 'done')).resolves.toBe('done');
    expect(clock.sleptMs).toEqual([10_000]);
  });

  test('is aborted when the deadline passes', async () => {
    const clock = manualClock(epoch);
    const working = withDeadline(clock, 10_000, new AbortController().signal, hang);
    clock.elapse();
    await expect(working).rejects.toBeInstanceOf(DeadlinePassed);
  });

  test('is aborted at once when its caller stops it, with the reason', async () => {
    const clock = manualClock(epoch);
    const stop = new AbortController();
    const working = withDeadline(clock, 10_000, stop.signal, hang);
    const reason = new Error('the process stops');
    stop.abort(reason);
    await expect(working).rejects.toBe(reason);
  });

  test('does not begin in earnest when it was stopped before', async () => {
    const reason = new Error('the process stops');
    const working = withDeadline(manualClock(epoch), 10_000, AbortSignal.abort(reason), hang);
    await expect(working).rejects.toBe(reason);
  });

  test('fails as it fails by itself', async () => {
    const failure = new Error('refused');
    const working = withDeadline(manualClock(epoch), 1, new AbortController().signal, async () => {
      throw failure;
    });
    await expect(working).rejects.toBe(failure);
  });

  test('may pay no heed: then its result counts, deadline or not', async () => {
    const clock = manualClock(epoch);
    const result = Promise.withResolvers<string>();
    const { signal } = new AbortController();
    const working = withDeadline(clock, 10_000, signal, () => result.promise);
    clock.elapse();
    result.resolve('late');
    await expect(working).resolves.toBe('late');
  });
});

test.each([
  ['done', async () => undefined],
  [
    'failed',
    async () => {
      throw new Error('refused');
    },
  ],
])('work that is %s leaves neither a timer nor a listener', async (_case, work) => {
  let timer: AbortSignal | undefined;
  const manual = manualClock(epoch);
  const clock = {
    ...manual,
    sleep: (delayMs: number, signal: AbortSignal) => {
      timer = signal;
      return manual.sleep(delayMs, signal);
    },
  };
  const { signal } = new AbortController();
  await withDeadline(clock, 10_000, signal, work).catch(() => undefined);
  expect(timer?.aborted).toBe(true);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
