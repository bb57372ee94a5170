import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Address } from '../support/address.ts';
import { Connections } from './connections.ts';
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

/**
 * Far more than kubelet, Prometheus and a few people need: among many who connect at once none is
 * to give way before its request was read. An open connection takes some 16 KB.
 */
const MOST_CONNECTIONS = 512;

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
  const server = createServer({
    maxHeaderSize: LONGEST_HEADER_BYTES,
    headersTimeout: patienceMs,
    requestTimeout: patienceMs,
    connectionsCheckingInterval: Math.ceil(patienceMs / 5),
  });
  // Those limits end with the request; this one is for who does not read the answer.
  server.setTimeout(patienceMs);
  const connections = new Connections<Socket>(MOST_CONNECTIONS);
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    void answer(request, response, views, connections);
  };
  server
    .on('connection', (socket) => connections.add(socket))
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
  connections: Connections<Socket>,
): Promise<void> {
  const { socket } = request;
  if (connections.begin(socket)) {
    send(response, await answerTo(request, views));
    connections.end(socket);
  } else {
    // Never sent, as the first answer ends the connection; but Node reads no further ahead while it waits.
    send(response, plain(503));
  }
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
