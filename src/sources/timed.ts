import type { AccessToken } from '../support/access-token.ts';
import type { SourceContext } from './source.ts';

/** `ask`, with an event for each answer, or for none in time. */
export function timed<A>(
  ask: (of: A, signal: AbortSignal) => Promise<AccessToken>,
  { clock, onEvent }: SourceContext,
): (of: A, signal: AbortSignal) => Promise<AccessToken> {
  return async (of, signal) => {
    // By the monotonic clock alone: a step of the wall clock is no slow answer.
    const askedAtMs = clock.now().monotonicMs;
    const ended = (succeeded: boolean) => {
      if (signal.aborted) return;
      onEvent({ type: 'exchange.ended', succeeded, tookMs: clock.now().monotonicMs - askedAtMs });
    };
    try {
      const answer = await ask(of, signal);
      ended(true);
      return answer;
    } catch (error) {
      ended(false);
      throw error;
    }
  };
}
