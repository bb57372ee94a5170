import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTokenProxyTransport } from '../../src/entra/transport.ts';
import { openWorkload } from '../process/workload.ts';
import { type FakeEntra, startFakeEntra } from '../support/fake-entra/server.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';
import {
  endless,
  exchangeWith,
  failureOf,
  federatedToken,
  nowMs,
  startEntra,
} from './exchange-parts.ts';

/** An authority whose certificate comes from a CA below a root, which it sends along as servers do. */
async function startBelowRoot() {
  const root = await createCa();
  const issuing = await root.issueCa();
  const { certPem: leafPem, keyPem: key } = await issuing.issue({ hosts: ['127.0.0.1'] });
  const tls = { key, cert: `${leafPem}\n${issuing.certPem}` };
  return { root, issuing, leafPem, tls };
}

type Chain = Awaited<ReturnType<typeof startBelowRoot>>;

const enough: [string, (chain: Chain) => string][] = [
  ['the issuing CA without its root', ({ issuing }) => issuing.certPem],
  ['the root alone', ({ root }) => root.certPem],
  ['both', ({ root, issuing }) => `${issuing.certPem}\n${root.certPem}`],
  ["the server's own certificate", ({ leafPem }) => leafPem],
];

const tooLittle: [string, (chain: Chain) => Promise<string>][] = [
  ['another CA below the same root', async ({ root }) => (await root.issueCa()).certPem],
  ['another root of the same name', async () => (await createCa()).certPem],
  [
    'another certificate of the same issuer',
    async ({ issuing }) => (await issuing.issue({ hosts: ['127.0.0.1'] })).certPem,
  ],
];

/** One for all tests that trust it or do not, and the same behind a path. */
let chain: Chain;
let entra: FakeEntra;
let proxy: FakeEntra;

beforeAll(async () => {
  chain = await startBelowRoot();
  const { tls } = chain;
  [entra, proxy] = await Promise.all([
    startFakeEntra({ now: () => nowMs, tls }),
    startFakeEntra({ now: () => nowMs, tls, basePath: '/proxy' }),
  ]);
});
afterAll(() => Promise.all([entra.close(), proxy.close()]));

describe('a CA file that holds', () => {
  test.each(enough)('%s is enough to trust the authority', async (_what, pem) => {
    const { exchange } = await exchangeWith(entra, { caFile: await fileWith(pem(chain)) });
    const issuedBefore = entra.issued.length;
    const { token } = await exchange(await federatedToken(entra), endless);
    expect(entra.issued.slice(issuedBefore)).toEqual([token.unwrap()]);
  });

  test.each(tooLittle)('%s is not', async (_what, pem) => {
    const { exchange } = await exchangeWith(entra, { caFile: await fileWith(await pem(chain)) });
    const requestsBefore = entra.requests.length;
    const error = await failureOf(exchange(await federatedToken(entra), endless), entra);
    expect(error.code).toBe('entra.untrusted');
    expect(entra.requests).toHaveLength(requestsBefore);
  });

  test('the issuing CA of a certificate for another name is not', async () => {
    const { issuing } = chain;
    const { certPem: cert, keyPem: key } = await issuing.issue({ hosts: ['login.example'] });
    const other = await startEntra({ tls: { cert, key } });
    const { exchange } = await exchangeWith(other, { caFile: await fileWith(issuing.certPem) });
    const error = await failureOf(exchange(await federatedToken(other), endless), other);
    expect(error.message).toContain('another name');
  });
});

describe('a CA of the token proxy that is', () => {
  const exchangeThrough = async (pem: string, how: 'file' | 'data') => {
    const transport = await createTokenProxyTransport({
      url: new URL(`https://127.0.0.1:${proxy.port}/proxy`),
      sniName: undefined,
      ca: how === 'data' ? { pem } : { path: await fileWith(pem) },
    });
    const authorityHost = 'https://login.microsoftonline.com/';
    const { exchange } = await exchangeWith(proxy, { transport, authorityHost });
    return { exchanging: exchange(await federatedToken(proxy), endless) };
  };

  describe.each(['file', 'data'] as const)('given as %s and', (how) => {
    test.each(enough)('%s is enough', async (_what, pem) => {
      const { exchanging } = await exchangeThrough(pem(chain), how);
      expect((await exchanging).token.unwrap()).toBe(proxy.issued.at(-1));
    });

    test.each(tooLittle)('%s is not', async (_what, pem) => {
      const { exchanging } = await exchangeThrough(await pem(chain), how);
      expect((await failureOf(exchanging, proxy)).code).toBe('entra.untrusted');
    });
  });
});

test('an issuing CA without its root is enough in NODE_EXTRA_CA_CERTS', async () => {
  const { issuing, tls } = chain;
  const { start } = await openWorkload({ tls });
  const env = { NODE_EXTRA_CA_CERTS: await fileWith(issuing.certPem) };
  const pgpassd = start(['once', '--timeout', '10s'], { env });
  expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
});
