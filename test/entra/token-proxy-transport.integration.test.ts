import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { tokenProxyUrl } from '../../src/entra/request.ts';
import { createTokenProxyTransport } from '../../src/entra/transport.ts';
import type { FakeEntra, FakeEntraOptions } from '../support/fake-entra/server.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { makeFifo } from '../support/temporary-file.ts';
import { exchangeWith, federatedToken, startEntra } from './exchange-parts.ts';

const sniName = 'token-proxy.aks.internal';
const basePath = '/proxy';
const signal = new AbortController().signal;

let caPath: string;

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-ca-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  caPath = join(directory, 'ca.crt');
});

/** A token proxy whose certificate, of a CA of its own, is for the SNI name only. */
async function startProxy(options: FakeEntraOptions = {}): Promise<FakeEntra & { caPem: string }> {
  const ca = await createCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [sniName] });
  const entra = await startEntra({ tls: { cert, key }, basePath, ...options });
  return Object.assign(entra, { caPem: ca.certPem });
}

async function throughProxy(entra: FakeEntra, given: { sniName?: string; pem?: string } = {}) {
  const transport = await createTokenProxyTransport({
    url: new URL(`https://127.0.0.1:${entra.port}${basePath}/`),
    sniName: 'sniName' in given ? given.sniName : sniName,
    ca: given.pem === undefined ? { path: caPath } : { pem: given.pem },
  });
  const authorityHost = 'https://login.microsoftonline.com/';
  const { exchange } = await exchangeWith(entra, { transport, authorityHost });
  return async (from: FakeEntra = entra) => exchange(await federatedToken(from), signal);
}

test('an exchange goes to the proxy, and asks for the SNI name', async () => {
  const entra = await startProxy();
  await writeFile(caPath, entra.caPem);
  const exchange = await throughProxy(entra);
  expect((await exchange()).token.unwrap()).toBe(entra.issued[0]);
  expect(entra.requests[0]?.url).toBe(`${basePath}/${entra.tenantId}/oauth2/v2.0/token`);
});

test('it works again after CA and certificate were rotated, and with an empty CA file meanwhile', async () => {
  const before = await startProxy();
  await writeFile(caPath, before.caPem);
  const exchange = await throughProxy(before);
  await exchange();

  await writeFile(caPath, '');
  await exchange();
  expect(before.issued).toHaveLength(2);

  await before.close();
  const after = await startProxy({ port: before.port });
  await writeFile(caPath, after.caPem);
  await exchange(after);
  expect(after.issued).toHaveLength(1);
});

test('a CA given as data is trusted', async () => {
  const entra = await startProxy();
  const exchange = await throughProxy(entra, { pem: entra.caPem });
  await exchange();
  expect(entra.issued).toHaveLength(1);
});

test('the wrong CA is reported as untrusted, and replaces the roots', async () => {
  const entra = await startProxy();
  await writeFile(caPath, (await createCa()).certPem);
  const exchange = await throughProxy(entra);
  await expect(exchange()).rejects.toMatchObject({
    code: 'entra.untrusted',
    message: expect.stringContaining('certificate'),
  });
  expect(entra.requests).toHaveLength(0);
});

test('without the SNI name the certificate is for another name', async () => {
  const entra = await startProxy();
  const exchange = await throughProxy(entra, { sniName: undefined as never, pem: entra.caPem });
  await expect(exchange()).rejects.toMatchObject({
    code: 'entra.untrusted',
    message: expect.stringContaining('another name'),
  });
});

test('a CA file that is not there yet is waited for', async () => {
  const entra = await startProxy();
  const exchange = await throughProxy(entra);
  await expect(exchange()).rejects.toMatchObject({
    code: 'entra.untrusted',
    message: expect.stringContaining('AZURE_KUBERNETES_CA_FILE'),
  });
  await writeFile(caPath, entra.caPem);
  await exchange();
  expect(entra.issued).toHaveLength(1);
});

test('a CA file that is a FIFO is a configuration error, and does not hold us up', async () => {
  const entra = await startProxy();
  caPath = await makeFifo();
  await expect(throughProxy(entra)).rejects.toMatchObject({
    code: 'config.invalid',
    message: expect.stringMatching(
      /^the token proxy's CA in AZURE_KUBERNETES_CA_FILE .* is not a regular file$/,
    ),
  });
});

test('a CA file that holds something else is a configuration error', async () => {
  const entra = await startProxy();
  await writeFile(caPath, 'not a certificate');
  await expect(throughProxy(entra)).rejects.toMatchObject({ code: 'config.invalid' });
});

test.each([
  ['https://10.0.0.1', 'https://10.0.0.1/tenant/token?x=1'],
  ['https://10.0.0.1/', 'https://10.0.0.1/tenant/token?x=1'],
  ['https://10.0.0.1:8443/a/b', 'https://10.0.0.1:8443/a/b/tenant/token?x=1'],
  ['https://10.0.0.1/a/b/', 'https://10.0.0.1/a/b/tenant/token?x=1'],
])("the proxy %s is asked with Entra's own path below its own", (proxy, asked) => {
  const endpoint = 'https://login.microsoftonline.com/tenant/token?x=1';
  expect(tokenProxyUrl(endpoint, new URL(proxy))).toBe(asked);
});
