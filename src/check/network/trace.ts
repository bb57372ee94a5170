import { AsyncLocalStorage } from 'node:async_hooks';
import { X509Certificate } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { formatAddress } from '../../support/address.ts';
import type { Clock } from '../../support/clock.ts';

/** How far a connection to one peer got. */
export interface Hop {
  /** `HOST` or `HOST:PORT`, as in its URL. */
  readonly host: string;
  /** What its name resolves to; empty for an address, and for a name that does not. */
  readonly addresses: readonly string[];
  /** The addresses that a connection was tried to. */
  readonly tried: readonly string[];
  /** The address and port that take connections, and how long it took, the name's resolution aside. */
  readonly connected: { readonly address: string; readonly tookMs: number } | undefined;
  /** What it presented, trusted or not. */
  readonly certificate: X509Certificate | undefined;
  /** Whether requests can go to it now. */
  readonly ready: boolean;
}

type Noted = { -readonly [K in keyof Hop]: Hop[K] } & {
  readonly addresses: string[];
  readonly tried: string[];
};

interface Trace {
  readonly clock: Clock;
  readonly hops: Noted[];
}

/** Several traces at a time do not mix: each hears only of what its own work does. */
const current = new AsyncLocalStorage<Trace>();

/** What Node and undici tell of each connection, whatever way it takes. */
const channels: Readonly<Record<string, (trace: Trace, message: unknown) => void>> = {
  'undici:client:beforeConnect': ({ hops }, message) => {
    const { host } = (message as Connecting).connectParams;
    if (hops.some((hop) => hop.host === host)) return;
    hops.push({
      host,
      addresses: [],
      tried: [],
      connected: undefined,
      certificate: undefined,
      ready: false,
    });
  },
  'net.client.socket': ({ clock, hops }, message) => {
    const hop = hops.at(-1);
    if (hop !== undefined) note((message as HasSocket).socket, hop, clock);
  },
  'undici:client:connected': ({ hops }, message) => {
    const { connectParams, socket } = message as Connecting & HasSocket;
    const hop = hops.find(({ host }) => host === connectParams.host);
    if (hop === undefined) return;
    hop.ready = true;
    hop.certificate = certificateOf(socket);
  },
};

interface Connecting {
  readonly connectParams: { readonly host: string };
}

interface HasSocket {
  readonly socket: Socket;
}

/**
 * Runs `work`, which sends requests with undici, and gives beside its outcome whom it connected to, in
 * this order: the one asked, then the HTTP proxy on the way there, if there is one.
 */
export async function traced<T>(
  clock: Clock,
  work: () => Promise<T>,
): Promise<{ readonly outcome: PromiseSettledResult<T>; readonly hops: readonly Hop[] }> {
  const trace: Trace = { clock, hops: [] };
  const subscriptions = Object.entries(channels).map(([name, hear]) => {
    const hearOurs = (message: unknown) => {
      if (current.getStore() === trace) hear(trace, message);
    };
    return [name, hearOurs] as const;
  });
  for (const [name, hear] of subscriptions) subscribe(name, hear);
  try {
    const [outcome] = await current.run(trace, () => Promise.allSettled([work()]));
    return { outcome, hops: trace.hops };
  } finally {
    for (const [name, hear] of subscriptions) unsubscribe(name, hear);
  }
}

function note(socket: Socket, hop: Noted, clock: Clock): void {
  let startedMs = clock.now().monotonicMs;
  socket.on('lookup', (error, address) => {
    if (!error && !hop.addresses.includes(address)) hop.addresses.push(address);
    startedMs = clock.now().monotonicMs;
  });
  socket.on('connectionAttempt', (address: string) => {
    hop.tried.push(address);
  });
  socket.once('connect', () => {
    const tookMs = clock.now().monotonicMs - startedMs;
    const { remoteAddress: host = '', remotePort: port = 0 } = socket;
    hop.connected = { address: formatAddress({ host, port }), tookMs };
  });
  // Node tells of the end of a handshake before it judges the certificate, without documenting it.
  socket.once('secure', () => {
    hop.certificate = certificateOf(socket);
  });
}

/** By `getPeerX509Certificate` Node 24 would take away what its own check of the name needs next. */
function certificateOf(socket: Socket): X509Certificate | undefined {
  const raw = socket instanceof TLSSocket ? socket.getPeerCertificate()?.raw : undefined;
  return raw && new X509Certificate(raw);
}
