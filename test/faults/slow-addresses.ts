import { openWorkload, type WorkloadOptions } from '../process/workload.ts';
import { type NetworkOptions, openNetwork } from '../support/network.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';
import type { Context } from './pod.ts';

export const name = 'login.entra.test';
export const needs = 'needs unshare, nsenter, ip and nft';
export const v4 = ['203.0.113.1', '203.0.113.2', '203.0.113.3'] as const;
const v6 = ['2001:db8::1', '2001:db8::2', '2001:db8::3'] as const;

export type Addresses = Omit<NetworkOptions, 'ports'>;

export const hosts = (...addresses: readonly string[]): string =>
  addresses.map((address) => `${address} ${name}\n`).join('');

/** A far address comes first, and the second is of the other family and out of reach. */
export const farFirst = { far: [v4[0]], near: [v6[1]], hosts: hosts(v4[0], v6[0]) };

export const betweenLost: [string, Addresses] = [
  'a far one between two IPv4 addresses where everything is lost',
  { far: [v4[1]], lost: [v4[0], v4[2]], hosts: hosts(...v4) },
];

export const lastOfSix: [string, Addresses] = [
  'a near one as the last of six addresses',
  { near: [v4[2]], lost: [...v6, v4[0], v4[1]], hosts: hosts(...v6, ...v4) },
];

/** Those whose time is not judged; a timing test has the two above. */
export const authorities: readonly [string, Addresses][] = [
  ['an IPv4 address that is far, and an IPv6 address that no route leads to', farFirst],
  [
    'an IPv4 address that is far, after an IPv6 address where everything is lost',
    { far: [v4[0]], lost: [v6[0]], hosts: hosts(v6[0], v4[0]) },
  ],
  [
    'an IPv4 address that is far, before an IPv6 address where everything is lost',
    { far: [v4[0]], lost: [v6[0]], hosts: hosts(v4[0], v6[0]) },
  ],
  [
    'an IPv6 address that is far, and an IPv4 address where everything is lost',
    { far: [v6[0]], lost: [v4[0]], hosts: hosts(v4[0], v6[0]) },
  ],
  ['a single address that is far', { far: [v4[0]], hosts: hosts(v4[0]) }],
];

/** A pod whose authority has a certificate of its own. */
export async function openTrusted(
  { onTestFinished }: Pick<Context, 'onTestFinished'>,
  options: WorkloadOptions = {},
) {
  const ca = await createCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [name] });
  const workload = await openWorkload({ ...options, onTestFinished, tls: { cert, key } });
  const caFile = await fileWith(ca.certPem, onTestFinished);
  const env = { AZURE_AUTHORITY_HOST: `https://${name}/`, PGPASSD_CA_FILE: caFile };
  return { ...workload, caPem: ca.certPem, env };
}

/** Runs a command to its end where the authority has those addresses. */
export async function runAt(
  addresses: Addresses,
  args: readonly string[],
  context: Pick<Context, 'onTestFinished'>,
  changes: Readonly<Record<string, string>> = {},
) {
  const { entra, start, env } = await openTrusted(context);
  const ports = { 443: entra.port };
  const { onTestFinished } = context;
  const { under } = await openNetwork({ ...addresses, ports, onTestFinished });
  const pgpassd = start(args, { under, env: { ...env, ...changes } });
  return { pgpassd, exit: await pgpassd.exited };
}
