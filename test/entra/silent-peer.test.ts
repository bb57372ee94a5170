import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createDirectWay } from '../../src/entra/direct-way.ts';
import {
  direct,
  endless,
  exchangeWith,
  failureOf,
  federatedToken,
  startEntra,
} from './exchange-parts.ts';

/** Takes connections, and never says a word on them. */
async function startSilentPeer() {
  const sockets = new Set<Socket>();
  const heard: (() => void)[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => heard.shift()?.());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    /** Resolves when somebody has said something. */
    heard: () => new Promise<void>((resolve) => heard.push(resolve)),
  };
}

test.each([
  ['in the TLS handshake', 'direct'],
  ['in the CONNECT to an HTTP proxy', 'proxied'],
])(
  'a peer that is silent %s holds an attempt up for as long as it may take, and no longer',
  async (_where, how) => {
    const entra = await startEntra();
    const peer = await startSilentPeer();
    const silent = `127.0.0.1:${peer.port}`;
    const authorityHost = how === 'direct' ? `https://${silent}/` : 'https://login.example/';
    const httpsProxy = how === 'direct' ? undefined : `http://${silent}`;
    const way = await createDirectWay({ ...direct, httpsProxy });
    const { exchange, clock } = await exchangeWith(entra, { authorityHost, way });
    const heard = peer.heard();
    const failing = failureOf(exchange(await federatedToken(entra), endless), entra);
    await heard;
    clock.elapse();
    expect((await failing).code).toBe('entra.timeout');
  },
);
