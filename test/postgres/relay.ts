import { once } from 'node:events';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Front } from '../support/postgres/front/server.ts';
import { sslRequest } from '../support/postgres/front/wire.ts';

/**
 * Makes the front, or any other server, reachable at another TCP address; the client's TLS passes
 * through. Where it is is looked up for each connection.
 */
export async function relay(
  front: Pick<Front, 'host' | 'port'>,
  at: ListenOptions,
): Promise<Server> {
  return await listen(at, (client) => join(client, connect(front.port, front.host)));
}

/**
 * Makes the front reachable through a unix socket. libpq uses no TLS there and the front insists on
 * it, so it begins here.
 */
export async function relayWithTls(front: Front, path: string): Promise<Server> {
  return await listen({ path }, (client) => {
    const upstream = connect(front.port, front.host);
    upstream.write(sslRequest());
    upstream.once('readable', () => {
      // The front's consent is one byte, and it says no more before the handshake.
      upstream.read();
      join(client, connectTls({ socket: upstream, rejectUnauthorized: false }));
    });
  });
}

async function listen(at: ListenOptions, serve: (client: Socket) => void): Promise<Server> {
  const listener = createServer(serve).listen(at);
  await once(listener, 'listening');
  return listener;
}

function join(client: Socket, upstream: Socket): void {
  // Whichever side breaks takes the other along.
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
  client.pipe(upstream).pipe(client);
}
