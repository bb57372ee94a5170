import type { X509Certificate } from 'node:crypto';
import { get } from 'node:http';
import { request } from 'undici';
import type { Attempt, Step } from '../entra/connect.ts';
import { type Transport, withDispatcher } from '../entra/transport.ts';
import { type Clock, DeadlinePassed, withDeadline } from '../support/clock.ts';
import { type RefreshErrorCode, refreshErrorCodes } from '../support/errors.ts';
import { isRecord } from '../support/jwt.ts';
import type { Address } from '../support/network.ts';
import { USER_AGENT } from '../version.ts';

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

/** The answer of a running pgpassd to `/readyz`. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason: string;
  readonly lastError: LastError | undefined;
}

interface LastError {
  readonly code: RefreshErrorCode;
  readonly message: string;
  readonly remedy: string;
}

const LARGEST_ANSWER_BYTES = 64 * 1024;

/** Asks the pgpassd of this pod; `undefined` when none answers there until `signal` aborts. */
export function askDaemon(
  { host, port }: Address,
  signal: AbortSignal,
): Promise<Readiness | undefined> {
  return new Promise((settle) => {
    const request = get({ host, port, path: '/readyz', agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > LARGEST_ANSWER_BYTES) request.destroy(new Error('too large'));
      });
      response.on('end', () => settle(readAnswer(response.statusCode, text)));
      response.on('error', () => settle(undefined));
    });
    request.on('error', () => settle(undefined));
  });
}

/** Another program may listen there, so anything but our JSON counts as no answer. */
function readAnswer(status: number | undefined, text: string): Readiness | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (!isRecord(body) || typeof body['reason'] !== 'string') return undefined;
    return { ready: status === 200, reason: body['reason'], lastError: errorIn(body['lastError']) };
  } catch {
    return undefined;
  }
}

function errorIn(value: unknown): LastError | undefined {
  if (!isRecord(value)) return undefined;
  const { message, remedy } = value;
  const code = refreshErrorCodes.find((each) => each === value['code']);
  return code !== undefined && typeof message === 'string' && typeof remedy === 'string'
    ? { code, message, remedy }
    : undefined;
}
