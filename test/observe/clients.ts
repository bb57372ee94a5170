import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished } from 'vitest';
import { type HttpServer, openHttpServer, type Views } from '../../src/observe/http-server.ts';

export const views: Views = new Map([
  ['/livez', async () => ({ status: 200, contentType: 'application/json', body: '{"é":1}\n' })],
  ['/readyz', async () => ({ status: 503, contentType: 'application/json', body: '{}\n' })],
]);

/** The server on the loopback, until the test has finished. */
export async function serve(served: Views = views, patienceMs?: number): Promise<HttpServer> {
  const server = await openHttpServer({ host: '127.0.0.1', port: 0 }, served, patienceMs);
  onTestFinished(() => server.close(Promise.resolve()));
  return server;
}

type Served = Pick<HttpServer, 'port'>;

interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
}

interface Heard {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks as kubelet does: a connection of its own for each request. */
export async function ask(
  { port }: Served,
  { method = 'GET', path = '/livez', host = '127.0.0.1' }: Question = {},
): Promise<Heard> {
  const asking = request({ agent: false, host, port, method, path }).end();
  const [response] = await once(asking, 'response');
  const { statusCode: status, headers } = response;
  return { status, headers, body: await text(response) };
}

/** Of twenty probes, one after the other, how long the middle one took. */
export async function medianProbeMs(server: Served): Promise<number> {
  const tookMs: number[] = [];
  for (let probe = 0; probe < 20; probe += 1) {
    const askedAtMs = performance.now();
    expect((await ask(server)).status).toBe(200);
    tookMs.push(performance.now() - askedAtMs);
  }
  return tookMs.sort((one, other) => one - other)[10] ?? Number.NaN;
}

/** A connection whose client minds no rules. */
export interface RawClient {
  readonly socket: Socket;
  /** All that was received, once the connection is closed or reset. */
  readonly heard: Promise<string>;
}

export async function connectRaw({ port }: Served, said: string): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    received += chunk;
  });
  // A reset is one of the ways to be cut off.
  socket.on('error', () => undefined);
  const heard = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  await once(socket, 'connect');
  socket.write(said);
  return { socket, heard };
}

/** `count` connections, oldest first, each with a request that never ends. */
export async function connectSlowly(server: Served, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  // One after the other, lest the system's queue of 511 run over and change the order.
  while (clients.length < count) clients.push(await connectRaw(server, HALF_A_REQUEST));
  return clients;
}

export const HALF_A_REQUEST = 'GET /livez HTTP/1.1\r\nHost: pod\r\n';
