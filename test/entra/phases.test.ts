import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createConnectors } from '../../src/entra/connect.ts';
import type { Transport } from '../../src/entra/transport.ts';
import { createDirectTransport, createTokenProxyTransport } from '../../src/entra/transport.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { startSilentPeer } from '../support/silent-peer.ts';
import { fileWith } from '../support/temporary-file.ts';
import {
  direct,
  endless,
  exchangeWith,
  failureOf,
  federatedToken,
  startEntra,
} from './exchange-parts.ts';

interface Stuck {
  readonly transport: Transport;
  readonly authorityHost: string;
  /** Resolves when it is stuck. */
  readonly stuck: Promise<unknown>;
}

/** A resolver that never answers. */
function silentResolver() {
  let asked = () => {};
  const stuck = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const connectors = createConnectors(() => {
    asked();
    return new Promise<never>(() => undefined);
  });
  return { stuck, connectors };
}

async function silentPeer() {
  const peer = await startSilentPeer();
  onTestFinished(() => peer.close());
  return { at: `127.0.0.1:${peer.port}`, stuck: peer.heard() };
}

/** A server that reads a request whole, and does no more. */
async function startDawdler(then: (response: ServerResponse) => void = () => undefined) {
  let asked = () => {};
  const stuck = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      then(response);
      asked();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { authorityHost: `http://127.0.0.1:${port}/`, stuck };
}

/** A transport through a proxy, of HTTP or HTTPS, that is silent itself or leads to a silent peer. */
async function behindProxy(scheme: 'http' | 'https', silent: 'proxy' | 'peer') {
  const ca = await createCa();
  const { keyPem: key, certPem: cert } = await ca.issue({ hosts: ['127.0.0.1'] });
  const peer = await startSilentPeer();
  onTestFinished(() => peer.close());
  const heard = peer.heard();
  const proxy = await startHttpProxy({
    names: { 'login.example': peer.port },
    silent: silent === 'proxy',
    ...(scheme === 'https' && { tls: { key, cert } }),
  });
  onTestFinished(() => proxy.close());
  const httpsProxy = `${scheme}://127.0.0.1:${proxy.port}`;
  const transport = await createDirectTransport({
    ...direct,
    httpsProxy,
    caFile: await fileWith(ca.certPem),
  });
  const asked = async () => {
    while (proxy.targets.length === 0) await setImmediate();
  };
  const stuck = silent === 'proxy' ? asked() : heard;
  return { transport, authorityHost: 'https://login.example/', stuck };
}

test.each<[string, () => Promise<Stuck>, RegExp]>([
  [
    'in the name resolution',
    async () => {
      const { connectors, stuck } = silentResolver();
      const transport = await createDirectTransport(direct, connectors);
      return { transport, authorityHost: 'https://login.example/', stuck };
    },
    /DNS of the pod/,
  ],
  [
    'in the name resolution of the HTTP proxy',
    async () => {
      const { connectors, stuck } = silentResolver();
      const httpsProxy = 'http://proxy.example:3128';
      const transport = await createDirectTransport({ ...direct, httpsProxy }, connectors);
      return { transport, authorityHost: 'https://login.example/', stuck };
    },
    /DNS/,
  ],
  [
    'in the TLS handshake',
    async () => {
      const { at, stuck } = await silentPeer();
      return {
        transport: await createDirectTransport(direct),
        authorityHost: `https://${at}/`,
        stuck,
      };
    },
    /ClientHello .*docs\/settings\.md/,
  ],
  [
    'in the TLS handshake',
    async () => {
      const { at, stuck } = await silentPeer();
      const url = new URL(`https://${at}/`);
      const transport = await createTokenProxyTransport({ url, sniName: undefined, ca: undefined });
      return { transport, authorityHost: 'https://login.example/', stuck };
    },
    /ClientHello .*docs\/settings\.md/,
  ],
  [
    'in the TLS handshake with the HTTP proxy',
    async () => {
      const { at, stuck } = await silentPeer();
      const transport = await createDirectTransport({ ...direct, httpsProxy: `https://${at}` });
      return { transport, authorityHost: 'https://login.example/', stuck };
    },
    /ClientHello/,
  ],
  ['in the HTTP proxy CONNECT', () => behindProxy('http', 'proxy'), /HTTPS_PROXY.*NO_PROXY/],
  ['in the HTTP proxy CONNECT', () => behindProxy('https', 'proxy'), /HTTPS_PROXY.*NO_PROXY/],
  ['in the TLS handshake', () => behindProxy('http', 'peer'), /ClientHello/],
  ['in the TLS handshake', () => behindProxy('https', 'peer'), /ClientHello/],
  [
    'waiting for the answer',
    async () => ({ ...(await startDawdler()), transport: await createDirectTransport(direct) }),
    /NetworkPolicy/,
  ],
  [
    'reading the answer',
    async () => {
      const begun = new Promise((resolve) => {
        subscribe('undici:request:headers', resolve);
        onTestFinished(() => void unsubscribe('undici:request:headers', resolve));
      });
      const dawdler = await startDawdler((response) => void response.write('{"access'));
      const stuck = begun.then(() => setImmediate());
      return { ...dawdler, transport: await createDirectTransport(direct), stuck };
    },
    /NetworkPolicy/,
  ],
])('an attempt that runs out of time %s says so', async (phase, open, remedy) => {
  const entra = await startEntra();
  const { transport, authorityHost, stuck } = await open();
  const { exchange, clock } = await exchangeWith(entra, { authorityHost, transport });
  const failing = failureOf(exchange(await federatedToken(entra), endless), entra);
  await stuck;
  clock.elapse();
  const error = await failing;
  expect(error.code).toBe('entra.timeout');
  expect(error.message).toMatch(new RegExp(`did not answer within 10 s: timed out ${phase}$`));
  expect(error.remedy).toMatch(remedy);
  expect(error.remedy).toContain('--request-timeout');
});
