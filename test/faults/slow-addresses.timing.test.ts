import { describe, expect, onTestFinished, test } from 'vitest';
import { readText } from '../documents/markdown.ts';
import { openWorkload, type WorkloadOptions } from '../process/workload.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { canMakeNetworks, type NetworkOptions, openNetwork } from '../support/network.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';

const name = 'login.entra.test';
const needs = 'needs unshare, nsenter, ip and nft';
const v4 = ['203.0.113.1', '203.0.113.2', '203.0.113.3'] as const;
const v6 = ['2001:db8::1', '2001:db8::2', '2001:db8::3'] as const;

const hosts = (...addresses: readonly string[]): string =>
  addresses.map((address) => `${address} ${name}\n`).join('');

async function openTrusted(options: WorkloadOptions = {}) {
  const ca = await createCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [name] });
  const workload = await openWorkload({ ...options, tls: { cert, key } });
  return { ...workload, caPem: ca.certPem, caFile: await fileWith(ca.certPem) };
}

test.skipIf(!canMakeNetworks()).each<[string, Omit<NetworkOptions, 'ports'>, number]>([
  [
    'an IPv4 address that is far, and an IPv6 address that no route leads to',
    { far: [v4[0]], near: [v6[1]], hosts: hosts(v4[0], v6[0]) },
    4,
  ],
  [
    'an IPv4 address that is far, after an IPv6 address where everything is lost',
    { far: [v4[0]], lost: [v6[0]], hosts: hosts(v6[0], v4[0]) },
    4,
  ],
  [
    'an IPv4 address that is far, before an IPv6 address where everything is lost',
    { far: [v4[0]], lost: [v6[0]], hosts: hosts(v4[0], v6[0]) },
    4,
  ],
  [
    'an IPv6 address that is far, and an IPv4 address where everything is lost',
    { far: [v6[0]], lost: [v4[0]], hosts: hosts(v4[0], v6[0]) },
    4,
  ],
  [
    'a far one between two IPv4 addresses where everything is lost',
    { far: [v4[1]], lost: [v4[0], v4[2]], hosts: hosts(...v4) },
    4,
  ],
  [
    'a near one as the last of six addresses',
    { near: [v4[2]], lost: [...v6, v4[0], v4[1]], hosts: hosts(...v6, ...v4) },
    4,
  ],
  ['a single address that is far', { far: [v4[0]], hosts: hosts(v4[0]) }, 3],
])(
  `once gets a token from an authority with %s (${needs})`,
  async (_which, network, withinSeconds) => {
    const { entra, start, caFile } = await openTrusted();
    const { under } = await openNetwork({ ...network, ports: { 443: entra.port } });
    const env = { AZURE_AUTHORITY_HOST: `https://${name}/`, PGPASSD_CA_FILE: caFile };
    const pgpassd = start(['once', '--timeout', '15s'], { under, env });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    const line = pgpassd.lines.find(({ event }) => event === 'exchange.ended');
    expect(line).toMatchObject({ succeeded: true });
    expect(line?.['tookSeconds']).toBeLessThan(withinSeconds);
  },
);

/** The far address comes first, and the second is of the other family and out of reach. */
const farFirst = { far: [v4[0]], near: [v6[1]], hosts: hosts(v4[0], v6[0]) };

describe.skipIf(!canMakeNetworks())('an address that is far', () => {
  test(`is reached when it is the token proxy's (${needs})`, async () => {
    const { entra, start, caPem } = await openTrusted({ basePath: '/proxy' });
    const { under } = await openNetwork({ ...farFirst, ports: { 443: entra.port } });
    const env = {
      AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
      AZURE_KUBERNETES_TOKEN_PROXY: `https://${name}/proxy`,
      AZURE_KUBERNETES_CA_DATA: caPem,
    };
    const pgpassd = start(['once', '--timeout', '15s'], { under, env });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
  });

  test(`is reached when it is an HTTP proxy's (${needs})`, async () => {
    const { entra, start, caFile } = await openTrusted();
    const proxy = await startHttpProxy({ names: { [name]: entra.port } });
    onTestFinished(() => proxy.close());
    const { under } = await openNetwork({
      ...farFirst,
      hosts: farFirst.hosts.replaceAll(name, 'proxy.test'),
      ports: { 3128: proxy.port },
    });
    const env = {
      AZURE_AUTHORITY_HOST: `https://${name}/`,
      PGPASSD_CA_FILE: caFile,
      HTTPS_PROXY: 'http://proxy.test:3128',
    };
    const pgpassd = start(['once', '--timeout', '15s'], { under, env });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    expect(proxy.targets).toEqual([`${name}:443`]);
  });

  test(`is reached by check, too (${needs})`, async () => {
    const { entra, start, caFile } = await openTrusted();
    const { under } = await openNetwork({ ...farFirst, ports: { 443: entra.port } });
    const env = { AZURE_AUTHORITY_HOST: `https://${name}/`, PGPASSD_CA_FILE: caFile };
    const pgpassd = start(['check'], { under, env });
    await pgpassd.exited;
    const said = pgpassd.output().replaceAll(/\s+/g, ' ');
    expect(said).toContain(`${name}: resolves to ${v4[0]}`);
    expect(said).toContain(`${v4[0]}:443 accepts connections`);
    expect(said).toContain('Entra gave a token');
  });
});

describe.skipIf(!canMakeNetworks())('a way on which something is lost', () => {
  const failing = async (network: Omit<NetworkOptions, 'ports'>, env = {}) => {
    const { entra, start, caFile } = await openTrusted();
    const { under } = await openNetwork({ ...network, ports: { 443: entra.port } });
    const settings = { AZURE_AUTHORITY_HOST: `https://${name}/`, PGPASSD_CA_FILE: caFile, ...env };
    const args = ['once', '--timeout', '5s', '--request-timeout', '2s'];
    const pgpassd = start(args, { under, env: settings });
    const { code } = await pgpassd.exited;
    return { code, errors: pgpassd.errors(), output: pgpassd.output() };
  };

  test(`is told by its phase when that is every SYN (${needs})`, async () => {
    const { code, errors, output } = await failing({ lost: [v4[0]], hosts: hosts(v4[0]) });
    expect(code, output).toBe(5);
    expect(errors).toContain(`${name} did not answer within 2 s: timed out in the TCP connection`);
  });

  const middlebox = { near: [v4[0]], hosts: hosts(v4[0]), dropsLargeHellos: true };

  test(`is told by its phase when that is a large ClientHello (${needs})`, async () => {
    const { code, errors, output } = await failing(middlebox);
    expect(code, output).toBe(5);
    expect(errors).toContain('timed out in the TLS handshake');
    expect(errors).toContain('ClientHello');
  });

  test(`is no obstacle to the small ClientHello that docs/settings.md configures (${needs})`, async () => {
    const page = readText('docs/settings.md');
    const [, recipe = ''] = /^( +nodejs_conf = [\s\S]*?Groups = .*)$/m.exec(page) ?? [];
    const config = await fileWith(`${recipe.replaceAll(/^ +/gm, '')}\n`);
    const { code, output } = await failing(middlebox, { OPENSSL_CONF: config });
    expect(code, output).toBe(0);
  });
});
