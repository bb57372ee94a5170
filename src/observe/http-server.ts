import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { errorOf, type Failure, failure, systemErrorCode } from '../support/errors.ts';
import { type Address, formatAddress, meansEveryAddress } from '../support/network.ts';
import { Connections, mostConnections, RequestHead } from './http-limits.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What computes the current answer, by path. */
export type Views = ReadonlyMap<string, () => Promise<Answer>>;

export interface HttpServer {
  /** The port in use, which the system chose if port 0 was requested. */
  readonly port: number;
  /** Stops listening; answers the requests that have begun until `patience` resolves, then closes them. */
  close(patience: Promise<void>): Promise<void>;
}

/** Kubelet and Prometheus send a few hundred bytes. */
const LONGEST_HEADER_BYTES = 8_192;

/** Node.js counts only the URL, names and values; the rest of a request is far shorter than this. */
const LONGEST_HEAD_BYTES = LONGEST_HEADER_BYTES + 1_024;

/** How long a request may take to arrive, and an answer to be read. */
const PATIENCE_MS = 5_000;

/**
 * Serves the views to GET and HEAD, one request per connection, without reading request bodies. A
 * host of `0.0.0.0`, `::` or nothing means every address, IPv4 and IPv6: see `listen`.
 *
 * Malformed requests, too large headers and slow ones are answered by Node.js itself, with 400, 431
 * and 408: https://nodejs.org/docs/latest-v24.x/api/http.html#event-clienterror
 *
 * @throws PgpassdError `config.invalid` when it cannot listen on the address
 */
export async function openHttpServer(
  address: Address,
  views: Views,
  patienceMs = PATIENCE_MS,
): Promise<HttpServer> {
  const connections = new Connections<FirstRequest>(mostConnections(await limits()));
  const server = createServer({
    maxHeaderSize: LONGEST_HEADER_BYTES,
    headersTimeout: patienceMs,
    requestTimeout: patienceMs,
    connectionsCheckingInterval: Math.ceil(patienceMs / 5),
    // FirstRequest needs it.
    highWaterMark: 1,
  });
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    void answer(request, response, views, connections);
  };
  const [parse] = server.listeners('connection');
  server
    .removeAllListeners('connection')
    .on('connection', (socket: Socket) => {
      const connection = new FirstRequest(socket, LONGEST_HEAD_BYTES, patienceMs);
      connections.add(connection);
      parse?.call(server, connection);
    })
    .on('request', serve)
    // Otherwise Node.js asks the client for the body, or answers and keeps the connection.
    .on('checkContinue', serve)
    .on('checkExpectation', serve)
    // A connection that the system cannot accept, for lack of memory, must not end the process.
    .on('error', () => undefined);
  await listen(server, address);
  return {
    port: (server.address() as AddressInfo).port,
    async close(patience) {
      const closed = new Promise((resolve) => server.close(resolve));
      void patience.then(() => server.closeAllConnections());
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  views: Views,
  connections: Connections<FirstRequest>,
): Promise<void> {
  // The stream that the parser got as its socket: https://nodejs.org/docs/latest-v24.x/api/http.html#messagesocket
  const connection = request.socket as Duplex as FirstRequest;
  connection.understood();
  connections.begin(connection);
  send(response, await answerTo(request, views));
  connections.end(connection);
}

/** The limits of this process, where the system tells them: see proc_pid_limits(5). */
function limits(): Promise<string> {
  return readFile('/proc/self/limits', 'utf8').catch(() => '');
}

async function answerTo({ method, url = '' }: IncomingMessage, views: Views): Promise<Answer> {
  const view = views.get(url.replace(/\?.*/s, ''));
  if (view === undefined) return plain(404);
  if (method !== 'GET' && method !== 'HEAD') return plain(405);
  try {
    return await view();
  } catch {
    return plain(500);
  }
}

function plain(status: number): Answer {
  return { status, contentType: 'text/plain', body: `${STATUS_CODES[status]}\n` };
}

function send(response: ServerResponse, { status, contentType, body }: Answer): void {
  response
    .writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      connection: 'close',
      ...(status === 405 && { allow: 'GET, HEAD' }),
    })
    // Node.js leaves the body out of the answer to a HEAD.
    .end(body);
}

/**
 * A connection from which only the head of its first request can be read; what is written goes to the
 * socket. Node's HTTP server parses everything it is given at once, and a single read may bring
 * thousands of requests: https://nodejs.org/docs/latest-v24.x/api/http.html#event-connection
 *
 * The socket needs a `highWaterMark` of 1, and is destroyed after `patienceMs` without traffic.
 */
class FirstRequest extends Duplex {
  readonly #socket: Socket;
  readonly #head: RequestHead;
  #understood = false;

  constructor(socket: Socket, longestHeadBytes: number, patienceMs: number) {
    super();
    this.#socket = socket;
    this.#head = new RequestHead(longestHeadBytes);
    socket
      .on('data', (bytes: Buffer<ArrayBuffer>) => this.#take(bytes))
      .on('end', () => this.push(null))
      .on('error', (error) => this.destroy(error))
      .on('close', () => this.destroy())
      .setTimeout(patienceMs, () => this.destroy());
  }

  /** The parser has found a request in the head. */
  understood(): void {
    this.#understood = true;
  }

  #take(bytes: Buffer<ArrayBuffer>): void {
    const ours = Buffer.from(bytes.subarray(0, this.#head.lengthIn(bytes)));
    // Frees the memory now: hundreds of reads of 64 KiB would wait for the garbage collector.
    bytes.buffer.transfer(0);
    // A paused socket stops reading once there is something left to read.
    if (this.#head.over) this.#socket.pause().unshift(Buffer.of(0));
    this.push(ours);
    // If the parser has found no request by now, there is none.
    if (this.#head.over && !this.#understood) this.push(null);
  }

  /** The socket pushes. */
  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  /** Nothing more is read from the connection, so it ends when writing does. */
  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => {
      done();
      this.destroy();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/**
 * Resolves when `server` listens. Kubelet probes a pod at the first of its addresses, IPv4 or IPv6, so
 * `0.0.0.0`, `::` or no host all mean every address: without a host, Node.js listens on `::`, for both, or
 * on `0.0.0.0` where there is no IPv6.
 * https://nodejs.org/docs/latest-v24.x/api/net.html#serverlistenport-host-backlog-callback
 *
 * @throws PgpassdError `config.invalid` when it cannot listen on the address
 */
async function listen(server: Server, address: Address): Promise<void> {
  const { host, port } = address;
  try {
    server.listen({ port, ...(!meansEveryAddress(host) && { host }) });
    await once(server, 'listening');
  } catch (error) {
    throw errorOf(explainListenError(formatAddress(address), error), { cause: error });
  }
}

function explainListenError(address: string, error: unknown): Failure {
  const code = systemErrorCode(error) ?? 'unknown error';
  switch (code) {
    case 'EADDRINUSE':
      return httpPortInUse({ address });
    case 'EACCES':
      return httpPortPrivileged({ address });
    case 'EADDRNOTAVAIL':
      return httpAddressForeign({ address });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return httpHostUnresolved({ address, code });
    default:
      return httpListenFailed({ address, code });
  }
}

const cannotListen = (address: string | number) =>
  `cannot listen on --http-address (PGPASSD_HTTP_ADDRESS) ${address}`;

const OTHER_ADDRESS = 'Set it to 0.0.0.0 and a port for every address of the pod, or to off.';

export const httpPortInUse = failure<'address'>(
  'http-port-in-use',
  'config.invalid',
  ({ address }) => ({
    found: `${cannotListen(address)}: the port is in use (EADDRINUSE)`,
    remedy: 'Set it to a port that no other process of the pod uses, or to off.',
  }),
);

export const httpPortPrivileged = failure<'address'>(
  'http-port-privileged',
  'config.invalid',
  ({ address }) => ({
    found: `${cannotListen(address)}: the port requires a privilege (EACCES)`,
    remedy: 'Set it to a port of 1024 or above, or to off.',
  }),
);

export const httpAddressForeign = failure<'address'>(
  'http-address-foreign',
  'config.invalid',
  ({ address }) => ({
    found: `${cannotListen(address)}: it is not an address of this machine (EADDRNOTAVAIL)`,
    remedy: OTHER_ADDRESS,
  }),
);

export const httpHostUnresolved = failure<'address' | 'code'>(
  'http-host-unresolved',
  'config.invalid',
  ({ address, code }) => ({
    found: `${cannotListen(address)}: the name does not resolve (${code})`,
    remedy: OTHER_ADDRESS,
  }),
);

export const httpListenFailed = failure<'address' | 'code'>(
  'http-listen-failed',
  'config.invalid',
  ({ address, code }) => ({
    found: `${cannotListen(address)}: the system refused it (${code})`,
    remedy: OTHER_ADDRESS,
  }),
);
