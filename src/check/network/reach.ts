import type { X509Certificate } from 'node:crypto';
import { request } from 'undici';
import type { Attempt, Step } from '../../entra/connect.ts';
import { type Transport, withDispatcher } from '../../entra/transport.ts';
import { type Clock, DeadlinePassed, withDeadline } from '../../support/clock.ts';
import { USER_AGENT } from '../../version.ts';

/** How an attempt to reach the token endpoint's server went. */
export interface Reach {
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

interface Bounds {
  readonly clock: Clock;
  /** From the name's resolution to the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Requests the root of the endpoint's server, where any answer will do. Never rejects. */
export async function reach(
  endpoint: string,
  transport: Transport,
  bounds: Bounds,
): Promise<Reach> {
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
      // A cache in between would answer with an old date.
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

/** How far a connection to one peer got. */
export interface Hop {
  /** `HOST` or `HOST:PORT`, as in its URL. */
  readonly host: string;
  /** What its name resolves to; empty for an address, and for a name that does not resolve. */
  readonly addresses: readonly string[];
  /** The addresses that a connection was tried to. */
  readonly tried: readonly string[];
  /** The address and port that accepts connections, and how long it took after the name was resolved. */
  readonly connected: { readonly address: string; readonly tookMs: number } | undefined;
  /** Whether a TLS handshake with it began, perhaps through an HTTP proxy. */
  readonly handshaking: boolean;
  /** The certificate it presented, trusted or not. */
  readonly certificate: X509Certificate | undefined;
  /** Whether requests can be sent to it. */
  readonly ready: boolean;
}

type MutableHop = { -readonly [K in keyof Hop]: Hop[K] } & {
  readonly tried: string[];
  /** When the name was resolved, by the monotonic clock. */
  resolvedAtMs: number;
};

interface Trace {
  /** The server, then the HTTP proxy on the way there, if there is one. */
  readonly hops: readonly Hop[];
  readonly onStep: (step: Step) => void;
}

/** Records which peers an attempt connects to, and how far it gets with each. */
function createTrace(clock: Clock): Trace {
  const hops: MutableHop[] = [];
  const hopTo = (host: string): MutableHop => {
    const known = hops.find((hop) => hop.host === host);
    if (known !== undefined) return known;
    const hop: MutableHop = {
      host,
      addresses: [],
      tried: [],
      connected: undefined,
      handshaking: false,
      certificate: undefined,
      ready: false,
      resolvedAtMs: clock.now().monotonicMs,
    };
    hops.push(hop);
    return hop;
  };
  return { hops, onStep: (step) => record(hopTo(step.host), step, clock) };
}

function record(hop: MutableHop, step: Step, clock: Clock): void {
  switch (step.type) {
    case 'resolved':
      hop.addresses = step.addresses;
      hop.resolvedAtMs = clock.now().monotonicMs;
      return;
    case 'connecting':
      hop.tried.push(step.address);
      return;
    case 'connected': {
      const tookMs = clock.now().monotonicMs - hop.resolvedAtMs;
      hop.connected = { address: step.address, tookMs };
      return;
    }
    case 'handshaking':
      hop.handshaking = true;
      return;
    case 'presented':
      hop.certificate = step.certificate;
      return;
    case 'ready':
      hop.ready = true;
      return;
    default:
  }
}
