import type { Clock } from './clock.ts';

/** The abort reason when `withDeadline` ran out of time. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

/**
 * Runs `work` with a signal that aborts when `delayMs` have passed (reason: `DeadlinePassed`) or
 * when `signal` does (with its reason). `work` has to end when its signal aborts.
 */
export async function withDeadline<T>(
  clock: Clock,
  delayMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const attempt = new AbortController();
  const timer = new AbortController();
  const stop = () => attempt.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  void clock.sleep(delayMs, timer.signal).then(() => attempt.abort(new DeadlinePassed()));
  try {
    return await work(attempt.signal);
  } finally {
    timer.abort();
    signal.removeEventListener('abort', stop);
  }
}

/** The outcome of `work`; rejects with the reason of `signal` as soon as that aborts. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return await Promise.race([work, aborted]);
}

/** The outcome of `work`, or `undefined` as soon as `signal` aborts, whether or not `work` ever ends. */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  return await unlessAborted(work, signal).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
}
