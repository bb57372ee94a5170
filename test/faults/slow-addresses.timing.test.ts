import { expect, test } from 'vitest';
import { openWorkload } from '../process/workload.ts';
import { canMakeNetworks, type NetworkOptions, openNetwork } from '../support/network.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';

const name = 'login.entra.test';
const needs = 'needs unshare, nsenter, ip and nft';
const v4 = ['203.0.113.1', '203.0.113.2', '203.0.113.3'] as const;
const v6 = ['2001:db8::1', '2001:db8::2', '2001:db8::3'] as const;

const hosts = (...addresses: readonly string[]): string =>
  addresses.map((address) => `${address} ${name}\n`).join('');

test.skipIf(!canMakeNetworks()).each<[string, Omit<NetworkOptions, 'ports'>, number]>([
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
    const ca = await createCa();
    const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [name] });
    const { entra, start } = await openWorkload({ tls: { cert, key } });
    const { under } = await openNetwork({ ...network, ports: { 443: entra.port } });
    const env = {
      AZURE_AUTHORITY_HOST: `https://${name}/`,
      PGPASSD_CA_FILE: await fileWith(ca.certPem),
    };
    const pgpassd = start(['once', '--timeout', '15s'], { under, env });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    const line = pgpassd.lines.find(({ event }) => event === 'exchange.ended');
    expect(line).toMatchObject({ succeeded: true });
    expect(line?.['tookSeconds']).toBeLessThan(withinSeconds);
  },
);
