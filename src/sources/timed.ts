import type { SourceContext } from './source.ts';

/** What `ask` resolves with, and an event for its answer, or for none in time. */
export async function timed<T>(
  { clock, onEvent }: SourceContext,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  // By the monotonic clock alone: a step of the wall clock is no slow answer.
  const askedAtMs = clock.now().monotonicMs;
  const ended = (succeeded: boolean) => {
    if (signal.aborted) return;
    onEvent({ type: 'exchange.ended', succeeded, tookMs: clock.now().monotonicMs - askedAtMs });
  };
  try {
    const answer = await ask();
    ended(true);
    return answer;
  } catch (error) {
    ended(false);
    throw error;
  }
}
