import { request } from 'undici';
import type { Attempt } from '../../entra/connect.ts';
import { type Transport, withDispatcher } from '../../entra/transport.ts';
import type { Clock } from '../../support/clock.ts';
import { DeadlinePassed, withDeadline } from '../../support/deadline.ts';
import { USER_AGENT } from '../../version.ts';
import { createTrace, type Hop } from './trace.ts';

/** What came of a request to the server of the token endpoint with nothing to exchange. */
export interface Trip {
  /** The server that was asked for, then the HTTP proxy on the way, if there is one. */
  readonly hops: readonly Hop[];
  /** Absent when there was none. */
  readonly answer: HttpAnswer | undefined;
  /** Why there was none. */
  readonly error: unknown;
  readonly outOfTime: boolean;
}

interface HttpAnswer {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** By our wall clock, in milliseconds since the epoch. */
  readonly receivedAtMs: number;
}

export interface Bounds {
  readonly clock: Clock;
  /** From the name's resolution to the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks for the root of the endpoint's server: any answer is as good as another. Never rejects. */
export async function reach(endpoint: string, transport: Transport, bounds: Bounds): Promise<Trip> {
  const { clock, timeoutMs, signal } = bounds;
  const url = new URL('/', transport.urlFor(endpoint));
  const { hops, onStep } = createTrace(clock);
  try {
    const answer = await withDeadline(clock, timeoutMs, signal, (inTime) =>
      askFor(url, transport, { clock, timeoutMs, signal: inTime, onStep }),
    );
    return { hops, answer, error: undefined, outOfTime: false };
  } catch (error) {
    return { hops, answer: undefined, error, outOfTime: error instanceof DeadlinePassed };
  }
}

function askFor(url: URL, transport: Transport, attempt: Attempt): Promise<HttpAnswer> {
  const { clock, signal } = attempt;
  return withDispatcher(transport, attempt, async (dispatcher) => {
    const { headers, body } = await request(url, {
      method: 'HEAD',
      // A cache in between would tell an old date.
      headers: { 'user-agent': USER_AGENT, 'cache-control': 'no-cache' },
      dispatcher,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
      reset: true,
    });
    const receivedAtMs = clock.now().wallMs;
    await body.dump();
    return { headers, receivedAtMs };
  });
}
