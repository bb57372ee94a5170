import { X509Certificate } from 'node:crypto';
import { ADDRCONFIG } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { type ConnectionOptions, TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { type Clock, unlessAborted } from '../support/clock.ts';
import { formatAddress } from '../support/network.ts';

/** One try to get an answer. */
export interface Attempt {
  readonly clock: Clock;
  /** How long it may take. */
  readonly timeoutMs: number;
  /** Ends the attempt, and every connection of it. */
  readonly signal: AbortSignal;
  readonly onStep: (step: Step) => void;
}

/** Each step towards an answer. `host` is a peer's `HOST` or `HOST:PORT`, as in its URL. */
export type Step =
  /** A connection to `host` is wanted; the steps to an HTTP proxy in between follow. */
  | { readonly type: 'wanted'; readonly host: string }
  | { readonly type: 'resolving'; readonly host: string }
  /** Without addresses when `host` is one itself. */
  | { readonly type: 'resolved'; readonly host: string; readonly addresses: readonly string[] }
  /** A connection to one of its addresses is tried. */
  | { readonly type: 'connecting'; readonly host: string; readonly address: string }
  /** An address and its port accepted the connection. */
  | { readonly type: 'connected'; readonly host: string; readonly address: string }
  | { readonly type: 'handshaking'; readonly host: string }
  /** The peer's certificate, trusted or not. */
  | {
      readonly type: 'presented';
      readonly host: string;
      readonly certificate: X509Certificate | undefined;
    }
  /** The peer accepts requests; an HTTP proxy accepts those for a tunnel. */
  | { readonly type: 'ready'; readonly host: string }
  /** The head of the answer has arrived. */
  | { readonly type: 'answering'; readonly host: string };

type Connector = buildConnector.connector;
type Target = buildConnector.Options;

/** The CAs to trust, and the server name to ask for, in TLS handshakes. */
export type Trust = Pick<ConnectionOptions, 'ca' | 'servername'>;

/**
 * The options of every handshake. Certificates are verified whatever NODE_TLS_REJECT_UNAUTHORIZED says,
 * and a CA that is given is trusted even if it is an intermediate one, as with curl and Go. The attempt
 * bounds the time.
 */
export const tlsOptions = (trust: Trust) => ({
  ...trust,
  rejectUnauthorized: true,
  allowPartialTrustChain: true,
  timeout: 0,
});

/** Makes the connector of an attempt; attempts share the name look-ups. */
export type Connectors = (attempt: Attempt, trust: Trust) => Connector;

export function createConnectors(lookUp: LookUp = coalesceLookUps(askSystem)): Connectors {
  return (attempt, trust) => {
    const secure = buildConnector(tlsOptions(trust));
    return (target, callback) => {
      establish(target, attempt, lookUp, secure).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    };
  };
}

async function establish(
  target: Target,
  attempt: Attempt,
  lookUp: LookUp,
  secure: Connector,
): Promise<Socket> {
  const { hostname, protocol, host = hostname } = target;
  const { signal, onStep } = attempt;
  onStep({ type: 'resolving', host });
  const addresses = isIP(hostname) === 0 ? await lookUp(hostname, attempt) : [];
  onStep({ type: 'resolved', host, addresses });
  const socket = await firstToConnect(addresses.length === 0 ? [hostname] : addresses, {
    ...attempt,
    port: Number(target.port) || (protocol === 'https:' ? 443 : 80),
    onTry: (address) => onStep({ type: 'connecting', host, address }),
  });
  // undici closes a connection that it has been given, but not one in its handshake.
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  if (signal.aborted) socket.destroy();
  const { remoteAddress = '', remotePort = 0 } = socket;
  const address = formatAddress({ host: remoteAddress, port: remotePort });
  onStep({ type: 'connected', host, address });
  const ready =
    protocol === 'https:'
      ? await handshake(target, socket, secure, onStep)
      : socket.setKeepAlive(true);
  onStep({ type: 'ready', host });
  return ready;
}

function handshake(
  target: Target,
  httpSocket: Socket,
  secure: Connector,
  onStep: Attempt['onStep'],
): Promise<Socket> {
  const { host = target.hostname } = target;
  onStep({ type: 'handshaking', host });
  return new Promise((resolve, reject) => {
    const socket: unknown = secure({ ...withoutAddress(target), httpSocket }, (error, secured) =>
      error === null ? resolve(secured) : reject(error),
    );
    // Node.js emits `secure` at the end of a handshake, undocumented, before it discards a refused certificate.
    if (socket instanceof TLSSocket) {
      socket.prependOnceListener('secure', () =>
        onStep({ type: 'presented', host, certificate: certificateOf(socket) }),
      );
    }
  });
}

/**
 * An IP address is not sent as a server name: RFC 6066, section 3. The certificate is compared with it
 * nevertheless.
 */
function withoutAddress(target: Target): Target {
  const { servername, ...rest } = target;
  // undici gives null for none.
  const name = servername?.replace(/^\[(.*)\]$/, '$1') ?? '';
  return isIP(name) === 0 ? target : rest;
}

/** In Node.js 24 `getPeerX509Certificate` would remove what its own check of the name needs next. */
export function certificateOf(socket: unknown): X509Certificate | undefined {
  const raw = socket instanceof TLSSocket ? socket.getPeerCertificate()?.raw : undefined;
  return raw && new X509Certificate(raw);
}

/** The addresses of a name. Throws Node's error, or the reason of the attempt's signal. */
export type LookUp = (
  name: string,
  attempt: Pick<Attempt, 'clock' | 'signal'>,
) => Promise<readonly string[]>;

/** Slightly longer than the longest wait between two attempts after a failure of Entra or the network. */
const LATE_ANSWER_LASTS_MS = 150_000;

interface Query {
  readonly addresses: Promise<readonly string[]>;
  /** By the monotonic clock. */
  answeredAtMs?: number;
}

/**
 * Runs one query of a name at a time, since each occupies one of the few threads that Node.js has for
 * look-ups and files. An answer that arrives after its attempt has given up is kept for the next
 * attempt, which joins the same query or finds its answer. Each answer is used once, so that addresses
 * can change.
 */
export function coalesceLookUps(ask: (name: string) => Promise<readonly string[]>): LookUp {
  const queries = new Map<string, Query>();

  function begin(name: string, clock: Clock): Query {
    const query: Query = { addresses: ask(name) };
    queries.set(name, query);
    query.addresses.then(
      () => {
        query.answeredAtMs = clock.now().monotonicMs;
      },
      () => queries.delete(name),
    );
    return query;
  }

  return async (name, { clock, signal }) => {
    const { answeredAtMs = Number.POSITIVE_INFINITY } = queries.get(name) ?? {};
    if (clock.now().monotonicMs - answeredAtMs > LATE_ANSWER_LASTS_MS) queries.delete(name);
    const query = queries.get(name) ?? begin(name, clock);
    const addresses = await unlessAborted(query.addresses, signal);
    if (queries.get(name) === query) queries.delete(name);
    return addresses;
  };
}

/** By getaddrinfo(3), without address families that this machine has no address of, as in Node.js itself. */
async function askSystem(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, hints: ADDRCONFIG });
  return found.map(({ address }) => address);
}

/** How long before the next address each one is tried, if there is time for it: RFC 8305, section 5. */
const LONGEST_HEAD_START_MS = 250;

export interface Race extends Pick<Attempt, 'clock' | 'signal' | 'timeoutMs'> {
  readonly port: number;
  readonly onTry: (address: string) => void;
}

/**
 * Connects to all `addresses`, each a moment after the one before, and gives the first connection.
 * Node.js itself gives up each address but the last after 250 ms, however much time there is; here
 * every address stays in the race until one wins or `signal` aborts.
 *
 * @throws the reason of `signal`, or the error of the only address, or an AggregateError
 */
export async function firstToConnect(addresses: readonly string[], race: Race): Promise<Socket> {
  const { clock, signal, timeoutMs, port, onTry } = race;
  // All have been tried by the middle of the attempt.
  const headStartMs = Math.min(LONGEST_HEAD_START_MS, timeoutMs / 2 / addresses.length);
  const queue = alternating(addresses);
  const runners = new Set<Socket>();
  const errors: unknown[] = [];
  const decided = new AbortController();
  try {
    return await new Promise<Socket>((resolve, reject) => {
      const start = () => {
        const address = queue.shift();
        if (address === undefined || decided.signal.aborted) return;
        onTry(address);
        const socket = connect({ host: address, port, noDelay: true });
        runners.add(socket);
        let failed = false;
        socket.once('connect', () => {
          // Several may connect in one turn of the event loop.
          if (decided.signal.aborted) return void socket.destroy();
          runners.delete(socket);
          decided.abort();
          resolve(socket);
        });
        socket.on('error', (error) => {
          if (!runners.delete(socket)) return;
          failed = true;
          errors.push(error);
          if (queue.length > 0) start();
          else if (runners.size === 0) reject(onlyOf(errors));
        });
        if (queue.length === 0) return;
        void clock.sleep(headStartMs, decided.signal).then(() => {
          if (!failed) start();
        });
      };
      const stop = () => {
        decided.abort();
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      else start();
    });
  } finally {
    decided.abort();
    for (const socket of runners) socket.destroy();
  }
}

function onlyOf(errors: readonly unknown[]): unknown {
  return errors.length === 1
    ? errors[0]
    : new AggregateError(errors, 'no address accepts a connection');
}

/** The address families in turn, beginning with that of the first address: RFC 8305, section 4. */
function alternating(addresses: readonly string[]): string[] {
  const first = addresses.filter((each) => isIPv6(each) === isIPv6(addresses[0] ?? ''));
  const second = addresses.filter((each) => !first.includes(each));
  return Array.from({ length: Math.max(first.length, second.length) }, (_, turn) =>
    [first[turn], second[turn]].filter((each) => each !== undefined),
  ).flat();
}
