import { expect, onTestFinished, test } from 'vitest';
import { createDirectTransport } from '../../src/entra/transport.ts';
import { startSilentPeer } from '../support/silent-peer.ts';
import {
  direct,
  endless,
  exchangeWith,
  failureOf,
  federatedToken,
  startEntra,
} from './exchange-parts.ts';

test.each([
  ['in the TLS handshake', 'direct'],
  ['in the CONNECT to an HTTP proxy', 'proxied'],
])(
  'a peer that is silent %s holds an attempt up for as long as it may take, and no longer',
  async (_where, how) => {
    const entra = await startEntra();
    const peer = await startSilentPeer();
    onTestFinished(() => peer.close());
    const silent = `127.0.0.1:${peer.port}`;
    const authorityHost = how === 'direct' ? `https://${silent}/` : 'https://login.example/';
    const httpsProxy = how === 'direct' ? undefined : `http://${silent}`;
    const transport = await createDirectTransport({ ...direct, httpsProxy });
    const { exchange, clock } = await exchangeWith(entra, { authorityHost, transport });
    const heard = peer.heard();
    const failing = failureOf(exchange(await federatedToken(entra), endless), entra);
    await heard;
    clock.elapse();
    expect((await failing).code).toBe('entra.timeout');
  },
);
