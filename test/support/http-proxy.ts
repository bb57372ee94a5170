import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface HttpProxyOptions {
  /** `user:password`, without which the proxy connects nobody. */
  readonly credentials?: string;
  /** Names that the proxy alone can resolve, each to a port of the loopback. */
  readonly names?: Readonly<Record<string, number>>;
  /** Speaks TLS itself when there is a certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Leaves every CONNECT unanswered. */
  readonly silent?: boolean;
  /** Its own address. */
  readonly host?: string;
}

export interface HttpProxy {
  readonly port: number;
  /** Every `host:port` it was asked for, oldest first. */
  readonly targets: readonly string[];
  close(): Promise<void>;
}

/** An HTTP proxy as networks have it at their edge: it opens tunnels, and forwards no request itself. */
export async function startHttpProxy(options: HttpProxyOptions = {}): Promise<HttpProxy> {
  const { credentials, names = {}, tls, silent = false, host = '127.0.0.1' } = options;
  const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
  const targets: string[] = [];
  const sockets = new Set<Duplex>();

  const server = tls === undefined ? createServer() : createSecureServer(tls);
  server.on('request', (_request, response) => response.writeHead(405).end());
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', ({ url: target = '', headers }: IncomingMessage, client: Duplex) => {
    targets.push(target);
    if (expected !== undefined && headers['proxy-authorization'] !== expected) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    client.on('error', () => client.destroy());
    if (silent) return;
    const { hostname, port } = new URL(`tcp://${target}`);
    const upstream = connect(names[hostname] ?? Number(port), '127.0.0.1');
    sockets.add(upstream);
    upstream.once('connect', () => client.write('HTTP/1.1 200 Connection Established\r\n\r\n'));
    // Whichever side ends first, or breaks, ends both; that is no failure of the proxy.
    pipeline(client, upstream, client).catch(() => client.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    targets,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
