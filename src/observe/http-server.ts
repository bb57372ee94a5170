import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Address } from '../support/text.ts';
import { Connections, mostConnections } from './connections.ts';
import { FirstRequest } from './first-request.ts';
import { listen } from './listen.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What is answered right now, by path. */
export type Views = ReadonlyMap<string, () => Promise<Answer>>;

export interface HttpServer {
  /** The one taken, where any was asked for as port 0. */
  readonly port: number;
  /** Listens no more; answers requests that have begun until `patience` resolves, then cuts them off. */
  close(patience: Promise<void>): Promise<void>;
}

/** Kubelet and Prometheus send a few hundred bytes. */
const LONGEST_HEADER_BYTES = 8_192;

/** Node counts only the URL, names and values; all the rest of a request is far less than this. */
const LONGEST_HEAD_BYTES = LONGEST_HEADER_BYTES + 1_024;

/** For a request to arrive, and for an answer to be read. */
const PATIENCE_MS = 5_000;

/**
 * Serves the views to GET and HEAD, one request per connection, without reading request bodies. A
 * host of `0.0.0.0`, `::` or nothing means every address, IPv4 and IPv6: see `listen`.
 *
 * Malformed requests, too large headers and slow ones are answered by Node itself, with 400, 431
 * and 408: https://nodejs.org/docs/latest-v24.x/api/http.html#event-clienterror
 *
 * @throws PgpassdError `config.invalid` when the address cannot be listened on
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
    // As FirstRequest needs it.
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
    // Otherwise Node asks the client for the body, or answers and keeps the connection.
    .on('checkContinue', serve)
    .on('checkExpectation', serve)
    // One connection that the system cannot accept, for want of memory, is no reason to end.
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
  // What the parser was given for a socket: https://nodejs.org/docs/latest-v24.x/api/http.html#messagesocket
  const connection = request.socket as Duplex as FirstRequest;
  connection.understood();
  connections.begin(connection);
  send(response, await answerTo(request, views));
  connections.end(connection);
}

/** What the system grants this process, where it says so: see proc_pid_limits(5). */
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
    // Node leaves it out of the answer to a HEAD.
    .end(body);
}
