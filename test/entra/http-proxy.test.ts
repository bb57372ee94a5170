import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createDirectTransport,
  type DirectTransportSettings,
  openTransport,
} from '../../src/entra/transport.ts';
import type { FakeEntra, FakeEntraOptions } from '../support/fake-entra/server.ts';
import { type HttpProxy, type HttpProxyOptions, startHttpProxy } from '../support/http-proxy.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';
import {
  direct,
  endless,
  exchangeWith,
  failureOf,
  federatedToken,
  startEntra,
} from './exchange-parts.ts';

/** An authority that is known by `host`, and the file that makes it trusted. */
async function startSecureEntra(
  host = '127.0.0.1',
  options: FakeEntraOptions = {},
): Promise<{ entra: FakeEntra; caFile: string }> {
  const ca = await createCa();
  const { keyPem, certPem } = await ca.issue({ hosts: [host] });
  const entra = await startEntra({ ...options, tls: { key: keyPem, cert: certPem } });
  return { entra, caFile: await fileWith(ca.certPem) };
}

async function startProxy(options: HttpProxyOptions = {}): Promise<HttpProxy> {
  const proxy = await startHttpProxy(options);
  onTestFinished(() => proxy.close());
  return proxy;
}

const urlOf = ({ port }: HttpProxy, user = ''): string => `http://${user}127.0.0.1:${port}`;

async function exchangeThrough(
  settings: Partial<DirectTransportSettings>,
  entra: FakeEntra,
  authorityHost = entra.authorityHost,
) {
  const transport = await createDirectTransport({ ...direct, ...settings });
  const { exchange } = await exchangeWith(entra, { transport, authorityHost });
  return exchange(await federatedToken(entra), endless);
}

describe('an exchange through an HTTP proxy', () => {
  test('reaches the authority by CONNECT, end to end encrypted', async () => {
    const { entra, caFile } = await startSecureEntra();
    const proxy = await startProxy();
    const { token } = await exchangeThrough({ caFile, httpsProxy: urlOf(proxy) }, entra);
    expect(token.unwrap()).toBe(entra.issued[0]);
    expect(proxy.targets).toEqual([`127.0.0.1:${entra.port}`]);
  });

  test('leaves it to the proxy to resolve the name, and verifies that name', async () => {
    const { entra, caFile } = await startSecureEntra('login.example.com');
    const proxy = await startProxy({ names: { 'login.example.com': entra.port } });
    const settings = { caFile, httpsProxy: urlOf(proxy) };
    await exchangeThrough(settings, entra, 'https://login.example.com/');
    expect(proxy.targets).toEqual(['login.example.com:443']);
    expect(entra.issued).toHaveLength(1);
  });

  test('trusts the authority behind it no more than a near one', async () => {
    const { entra } = await startSecureEntra();
    const proxy = await startProxy();
    const exchanging = exchangeThrough({ httpsProxy: urlOf(proxy) }, entra);
    const error = await failureOf(exchanging, entra);
    expect(error.code).toBe('entra.untrusted');
    expect(entra.requests).toEqual([]);
  });

  test('presents the user and password of its URL', async () => {
    const { entra, caFile } = await startSecureEntra();
    const proxy = await startProxy({ credentials: 'pod:pass word' });
    const httpsProxy = urlOf(proxy, 'pod:pass%20word@');
    await exchangeThrough({ caFile, httpsProxy }, entra);
    expect(entra.issued).toHaveLength(1);
  });

  test.each([
    ['no password', ''],
    ['a wrong password', 'pod:hunter2@'],
  ])('is refused with %s, and says where to correct it', async (_case, user) => {
    const { entra, caFile } = await startSecureEntra();
    const proxy = await startProxy({ credentials: 'pod:secret' });
    const exchanging = exchangeThrough({ caFile, httpsProxy: urlOf(proxy, user) }, entra);
    const error = await failureOf(exchanging, entra);
    expect(error.code).toBe('entra.unreachable');
    expect(error.message).toContain('HTTP proxy refuses');
    expect(error.remedy).toContain('HTTPS_PROXY');
    expect(inspect(error, { depth: null })).not.toContain('hunter2');
    expect(proxy.targets).toHaveLength(1);
    expect(entra.requests).toEqual([]);
  });

  test('does not get there when the proxy is down', async () => {
    const { entra, caFile } = await startSecureEntra();
    const proxy = await startProxy();
    await proxy.close();
    const exchanging = exchangeThrough({ caFile, httpsProxy: urlOf(proxy) }, entra);
    const error = await failureOf(exchanging, entra);
    expect(error.code).toBe('entra.unreachable');
    expect(error.remedy).toContain('proxy');
    expect(entra.requests).toEqual([]);
  });
});

test('HTTP_PROXY never applies: plain HTTP is allowed only to loopback', async () => {
  const { entra, caFile } = await startSecureEntra();
  const proxy = await startProxy();
  const env = { HTTP_PROXY: urlOf(proxy), http_proxy: urlOf(proxy) };
  const transport = await openTransport({ caFile, tokenProxy: undefined }, env);
  const { exchange } = await exchangeWith(entra, { transport });
  await exchange(await federatedToken(entra), endless);
  expect(proxy.targets).toEqual([]);
  expect(entra.issued).toHaveLength(1);
});

describe('NO_PROXY', () => {
  test.each([
    ['the host', '127.0.0.1'],
    ['one host of several', 'localhost, 127.0.0.1'],
    // No name below a suffix of ours resolves everywhere; labels are compared alike in an address.
    ['a suffix of the host', '.0.0.1'],
    ['every host', '*'],
  ])('that names %s leads past the proxy', async (_what, noProxy) => {
    const { entra, caFile } = await startSecureEntra();
    const proxy = await startProxy();
    await exchangeThrough({ caFile, httpsProxy: urlOf(proxy), noProxy }, entra);
    expect(proxy.targets).toEqual([]);
    expect(entra.issued).toHaveLength(1);
  });

  test.each([
    ['another host', 'login.example.com'],
    ['the end of a label', '7.0.0.1'],
    ['another port', '127.0.0.1:1'],
    ['a network, which is not read', '127.0.0.0/8'],
  ])('that names %s does not', async (_what, noProxy) => {
    const { entra, caFile } = await startSecureEntra();
    const proxy = await startProxy();
    await exchangeThrough({ caFile, httpsProxy: urlOf(proxy), noProxy }, entra);
    expect(proxy.targets).toHaveLength(1);
  });
});

test.each([
  'http//pod:hunter2@proxy',
  'ftp://pod:hunter2@proxy',
  'pod:hunter2@proxy/path',
  'http://pod:hunter2%@proxy:3128',
  'http://',
  'pod:hunter2@proxy:port',
])(
  'a proxy with the URL %s is a configuration problem, reported without its password',
  async (httpsProxy) => {
    const error: unknown = await createDirectTransport({ ...direct, httpsProxy }).catch((e) => e);
    expect(error).toMatchObject({ code: 'config.invalid' });
    expect(inspect(error, { depth: null })).not.toContain('hunter2');
  },
);
