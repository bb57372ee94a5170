import { once } from 'node:events';
import { createServer, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkNetwork } from '../../../src/check/steps/network.ts';
import type { Environment } from '../../../src/config/option.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import type { FakeEntra, FakeEntraOptions } from '../../support/fake-entra/server.ts';
import { type HttpProxyOptions, startHttpProxy } from '../../support/http-proxy.ts';
import { createCa } from '../../support/postgres/certificates.ts';
import { startSilentPeer } from '../../support/silent-peer.ts';
import { contextWith, environmentOf, fileWith, shown, startEntra } from '../context.ts';

const trusting = 'from pgpassd test CA, valid from \\d{4}-\\d\\d-\\d\\d to \\d{4}-\\d\\d-\\d\\d';

/** An authority over TLS with a certificate for `host`, and the CA that makes it trusted. */
async function startSecureEntra(
  host = '127.0.0.1',
  { expired = false, ...options }: FakeEntraOptions & { readonly expired?: boolean } = {},
): Promise<{ readonly entra: FakeEntra; readonly caPem: string; readonly caFile: string }> {
  const ca = await createCa();
  const { keyPem: key, certPem: cert } = await ca.issue({ hosts: [host], expired });
  const entra = await startEntra({ ...options, tls: { key, cert } });
  return { entra, caPem: ca.certPem, caFile: await fileWith(ca.certPem) };
}

async function startProxy(options: HttpProxyOptions = {}): Promise<{ port: number; url: string }> {
  const proxy = await startHttpProxy(options);
  onTestFinished(() => proxy.close());
  return { port: proxy.port, url: `http://pod:hunter2@127.0.0.1:${proxy.port}` };
}

const anyIdentity = { tenantId: 'tenant.example', clientId: 'client' } as FakeEntra;

/** What is found on the way to `authorityHost`, unless that is the fake's own. */
async function check(entra: FakeEntra | string, env: Environment = {}) {
  const named = typeof entra === 'string' ? { ...anyIdentity, authorityHost: entra } : entra;
  const report = await checkNetwork(contextWith(environmentOf(named, env)));
  return { ...report, texts: shown(report.findings, ['hunter2']) };
}

describe('a way that is free', () => {
  test('is reported stage by stage', async () => {
    const { entra, caFile } = await startSecureEntra('localhost');
    const { texts, reached } = await check(`https://localhost:${entra.port}/`, {
      PGPASSD_CA_FILE: caFile,
    });
    expect(texts).toEqual([
      expect.stringMatching(
        new RegExp(
          `^✓ localhost:${entra.port}: resolves to .*127\\.0\\.0\\.1.*; 127\\.0\\.0\\.1:${entra.port} accepts connections \\(\\d+ ms\\); certificate ${trusting}$`,
        ),
      ),
    ]);
    expect(reached).toBe(true);
  });

  test('asks for no token', async () => {
    const entra = await startEntra();
    await check(entra);
    expect(entra.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['HEAD /']);
    expect(entra.issued).toEqual([]);
  });

  test('through an HTTP proxy is reported with the proxy, but not its password', async () => {
    const { entra, caFile } = await startSecureEntra('login.example');
    const { port, url } = await startProxy({ names: { 'login.example': entra.port } });
    const { texts, reached } = await check('https://login.example/', {
      PGPASSD_CA_FILE: caFile,
      HTTPS_PROXY: url,
    });
    expect(texts).toEqual([
      expect.stringMatching(
        `^✓ HTTP proxy 127.0.0.1:${port}: 127.0.0.1:${port} accepts connections`,
      ),
      expect.stringMatching(new RegExp(`^✓ login\\.example: certificate ${trusting}$`)),
    ]);
    expect(reached).toBe(true);
  });

  test('leaves the proxy aside for what NO_PROXY names', async () => {
    const { entra, caFile } = await startSecureEntra();
    const { texts } = await check(entra, {
      PGPASSD_CA_FILE: caFile,
      HTTPS_PROXY: 'http://proxy.invalid:3128',
      NO_PROXY: '127.0.0.1',
    });
    expect(texts).toEqual([expect.stringMatching(/^✓ 127\.0\.0\.1:\d+: .* certificate/)]);
  });

  test('through the AKS token proxy ends there', async () => {
    const { entra, caPem } = await startSecureEntra('token-proxy.aks', { basePath: '/proxy' });
    const { texts, reached } = await check('https://login.invalid/', {
      AZURE_KUBERNETES_TOKEN_PROXY: `https://127.0.0.1:${entra.port}/proxy`,
      AZURE_KUBERNETES_SNI_NAME: 'token-proxy.aks',
      AZURE_KUBERNETES_CA_DATA: caPem,
    });
    expect(texts).toEqual([expect.stringMatching(`^✓ 127.0.0.1:${entra.port}: .* certificate`)]);
    expect(reached).toBe(true);
  });

  test('is so whatever is answered, or if the connection breaks then', async () => {
    const server = createServer(({ socket }) => socket.destroy());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { texts, reached, authority } = await check(`http://127.0.0.1:${port}/`);
    expect(texts).toEqual([expect.stringMatching(/^✓ .* accepts connections/)]);
    expect({ reached, authority }).toEqual({ reached: true, authority: undefined });
  });
});

test('two ways at a time are not taken for each other', async () => {
  const authorities = [await startSecureEntra(), await startSecureEntra()];
  const reports = await Promise.all(
    authorities.map(({ entra, caFile }) => check(entra, { PGPASSD_CA_FILE: caFile })),
  );
  expect(reports.map(({ texts }) => texts)).toEqual(
    authorities.map(({ entra }) => [expect.stringContaining(`✓ 127.0.0.1:${entra.port}: `)]),
  );
});

describe('a way that is blocked', () => {
  test.each<[string, () => Promise<[string, Environment?]>, string, string]>([
    [
      'by a name that does not resolve',
      async () => ['https://login.invalid/'],
      'entra.unreachable .*login.invalid .* its name does not resolve',
      'AZURE_AUTHORITY_HOST .* DNS',
    ],
    [
      'by a closed port',
      async () => ['https://127.0.0.1:1/'],
      'entra.unreachable .*127.0.0.1:1 .* no connection could be established',
      'egress',
    ],
    [
      'by an HTTP proxy whose name does not resolve',
      async () => ['https://login.example/', { HTTPS_PROXY: 'http://pod:hunter2@proxy.invalid' }],
      'http-proxy-unreachable .*the HTTP proxy proxy.invalid cannot be reached: its name',
      'HTTPS_PROXY',
    ],
    [
      'by an HTTP proxy that does not listen',
      async () => ['https://login.example/', { HTTPS_PROXY: 'http://127.0.0.1:1' }],
      'http-proxy-unreachable .*the HTTP proxy 127.0.0.1:1 .* no connection could be established',
      'HTTPS_PROXY',
    ],
    [
      'by an HTTP proxy with a CA that is not known',
      async () => {
        const { entra } = await startSecureEntra();
        return ['https://login.example/', { HTTPS_PROXY: `https://localhost:${entra.port}` }];
      },
      'http-proxy-untrusted .*the HTTP proxy localhost:\\d+ .* unknown CA',
      '--ca-file',
    ],
    [
      'by an HTTP proxy that refuses',
      async () => {
        const { url } = await startProxy({ credentials: 'pod:secret' });
        return ['https://login.example/', { HTTPS_PROXY: url }];
      },
      'entra.unreachable .*login.example .* the HTTP proxy refuses',
      'HTTPS_PROXY',
    ],
    [
      'by a CA that is not known',
      async () => [(await startSecureEntra()).entra.authorityHost],
      `entra.untrusted .* unknown CA \\(the certificate is ${trusting}\\)`,
      '--ca-file',
    ],
    [
      'by a certificate for another name',
      async () => {
        const { entra, caFile } = await startSecureEntra('login.example');
        return [entra.authorityHost, { PGPASSD_CA_FILE: caFile }];
      },
      `entra.untrusted .* another name \\(the certificate is ${trusting}\\)`,
      '--ca-file',
    ],
    [
      'by an expired certificate',
      async () => {
        const { entra, caFile } = await startSecureEntra('127.0.0.1', { expired: true });
        return [entra.authorityHost, { PGPASSD_CA_FILE: caFile }];
      },
      `entra.untrusted .* expired \\(the certificate is ${trusting}\\)`,
      '--ca-file',
    ],
    [
      'by a CA file of the AKS token proxy that is not there',
      async () => [
        'https://login.example/',
        {
          AZURE_KUBERNETES_TOKEN_PROXY: 'https://127.0.0.1:1/',
          AZURE_KUBERNETES_CA_FILE: '/nowhere/ca.crt',
        },
      ],
      'entra.untrusted .*/nowhere/ca.crt',
      'webhook',
    ],
  ])('%s', async (_what, start, found, remedy) => {
    const [authorityHost, env] = await start();
    const { texts, reached, authority } = await check(authorityHost, env);
    expect(texts.at(-1)).toMatch(new RegExp(`^✗ ${found}.* → .*${remedy}`));
    expect(texts.slice(0, -1).join('')).not.toContain('✗');
    expect({ reached, authority }).toEqual({ reached: false, authority: undefined });
  });

  test('reports how far it got', async () => {
    const { entra } = await startSecureEntra('localhost');
    const { texts } = await check(`https://localhost:${entra.port}/`);
    expect(texts).toEqual([
      expect.stringMatching(
        /^✓ localhost:\d+: resolves to .*; 127\.0\.0\.1:\d+ accepts connections/,
      ),
      expect.stringMatching(/^✗ entra.untrusted/),
    ]);
  });

  test('by a peer behind an HTTP proxy that is silent in the TLS handshake', async () => {
    const peer = await startSilentPeer();
    onTestFinished(() => peer.close());
    const { url } = await startProxy({ names: { 'login.example': peer.port } });
    const clock = new FakeClock();
    const heard = peer.heard();
    const env = environmentOf(
      { ...anyIdentity, authorityHost: 'https://login.example/' },
      { HTTPS_PROXY: url },
    );
    const checking = checkNetwork(contextWith(env, { clock }));
    await heard;
    await clock.advance(10_000);
    expect(shown((await checking).findings, ['hunter2']).at(-1)).toMatch(
      /^✗ tls-silent .*login\.example accepts connections through the HTTP proxy 127.* → .*ClientHello/,
    );
  });

  test.each<[string, (port: number) => [string, Environment?], string]>([
    [
      'in the TLS handshake',
      (port) => [`https://127.0.0.1:${port}/`],
      'tls-silent .*127.0.0.1:\\d+ accepts connections at 127.0.0.1:\\d+, but .* within 10 s',
    ],
    [
      'in the CONNECT to an HTTP proxy',
      (port) => ['https://login.example/', { HTTPS_PROXY: `http://127.0.0.1:${port}` }],
      'http-proxy-silent .*127.0.0.1:\\d+ .* login.example within 10 s',
    ],
  ])('by a peer that is silent %s', async (_where, env, found) => {
    const peer = await startSilentPeer();
    onTestFinished(() => peer.close());
    const [authorityHost, more] = env(peer.port);
    const clock = new FakeClock();
    const heard = peer.heard();
    const context = contextWith(environmentOf({ ...anyIdentity, authorityHost }, more), { clock });
    const checking = checkNetwork(context);
    await heard;
    await clock.advance(10_000);
    const { findings, reached } = await checking;
    expect(shown(findings).at(-1)).toMatch(new RegExp(`^✗ ${found}`));
    expect(reached).toBe(false);
  });
});

describe("the authority's clock", () => {
  async function leadOf(headers: OutgoingHttpHeaders): Promise<number | undefined> {
    const server = createServer((_, response) => response.writeHead(404, headers).end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { authority } = await check(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    );
    return authority?.leadMs;
  }

  test.each([
    ['now', 0],
    ['ten minutes ago', -600_000],
    ['in ten minutes', 600_000],
  ])('is read from an answer of %s', async (_when, leadMs) => {
    const date = new Date(Date.now() + leadMs).toUTCString();
    expect(Math.abs(((await leadOf({ date })) ?? Number.NaN) - leadMs)).toBeLessThan(60_000);
  });

  test.each([
    ['out of a cache', { age: '7' }],
    ['without a date', { date: 'today' }],
  ])('is not read from an answer %s', async (_what, headers) => {
    expect(await leadOf(headers)).toBeUndefined();
  });
});

test.each<[Environment, string, boolean]>([
  [{ PGPASSD_OFFLINE: 'true' }, '--offline', false],
  [{ PGPASSD_TOKEN_COMMAND: 'true' }, 'token command', true],
  [{ AZURE_TENANT_ID: '' }, 'settings', false],
  [{ PGPASSD_CA_FILE: '/nowhere/ca.crt' }, '--ca-file /nowhere/ca.crt', false],
])('is not tried with %j', async (env, why, reached) => {
  const entra = await startEntra();
  const report = await check(entra, env);
  expect(report.texts).toEqual([expect.stringMatching(new RegExp(`^– .*${why}`))]);
  expect(report.reached).toBe(reached);
  expect(entra.requests).toEqual([]);
});

test('ends when the process is asked to', async () => {
  const peer = await startSilentPeer();
  onTestFinished(() => peer.close());
  const stop = new AbortController();
  const env = environmentOf({ ...anyIdentity, authorityHost: `https://127.0.0.1:${peer.port}/` });
  const heard = peer.heard();
  const checking = checkNetwork(contextWith(env, { signal: stop.signal }));
  await heard;
  stop.abort(new Error('stopped'));
  expect(shown((await checking).findings)).toEqual(['– interrupted']);
});
