import { appendFile, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openWorkload, passfileWith } from '../process/workload.ts';
import { canMakeNetworks, type Network, openNetwork } from '../support/network.ts';
import type { DnsAnswer } from '../support/network-inhabitants.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';

const name = 'login.entra.test';
const address = '203.0.113.1';
const needs = 'needs unshare, nsenter, ip and nft';
const known: DnsAnswer = { ipv4: [address], ipv6: [] };

/** A pod whose authority is known to a DNS server alone, and how its resolver is set up. */
async function openPod(dns: Readonly<Record<string, DnsAnswer>>, resolver: string) {
  const ca = await createCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [name] });
  const workload = await openWorkload({ tls: { cert, key } });
  const network: Network = await openNetwork({
    near: [address],
    ports: { 443: workload.entra.port },
    dns,
    resolver,
  });
  const env = {
    AZURE_AUTHORITY_HOST: `https://${name}/`,
    PGPASSD_CA_FILE: await fileWith(ca.certPem),
  };
  const start = (...args: readonly string[]) => workload.start(args, { under: network.under, env });
  return { ...workload, network, start };
}

test.skipIf(!canMakeNetworks()).each<[string, Readonly<Record<string, DnsAnswer>>, string]>([
  [
    'answers after 28 s',
    { [name]: { ...known, delayMs: 28_000 } },
    'options timeout:30 attempts:1',
  ],
  [
    'never answers for AAAA, nor for the names that ndots makes of it',
    { [name]: { ipv4: [address] }, ...unanswered('shop.svc.cluster.local', 'svc.cluster.local') },
    'search shop.svc.cluster.local svc.cluster.local\noptions ndots:5 timeout:6',
  ],
])(
  `once gets a token while the DNS %s (${needs})`,
  async (_how, dns, resolver) => {
    const { start, network } = await openPod(dns, resolver);
    const pgpassd = start('once');
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    expect(pgpassd.lines.some(({ event }) => event === 'refresh.failed')).toBe(true);
    expect(network.asked).not.toEqual([]);
  },
  100_000,
);

test.skipIf(!canMakeNetworks())(
  `an answer that comes between two tries serves the next one, and one alone (${needs})`,
  async () => {
    const { start, network } = await openPod(
      { [name]: { ...known, delayMs: 2_200 } },
      'options timeout:30 attempts:1',
    );
    const pgpassd = start('run', '--request-timeout', '2s');
    await pgpassd.waitFor('refresh.failed', { within: 60_000 });
    await pgpassd.waitFor('token.refreshed', { within: 30_000 });
    expect(network.asked.filter((query) => query.endsWith(' A'))).toHaveLength(1);
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('refresh.failed', { within: 30_000 });
    expect(network.asked.filter((query) => query.endsWith(' A')).length).toBeGreaterThan(1);
  },
  100_000,
);

test.skipIf(!canMakeNetworks())(
  `a passfile is repaired within seconds while no DNS server answers (${needs})`,
  async () => {
    const { start, passfile, entra, network } = await openPod(
      { [name]: { ...known, delayMs: 0 }, 'silent.test': {} },
      'options timeout:30 attempts:3',
    );
    const earlier = start('once');
    expect(await earlier.exited, earlier.output()).toEqual({ code: 0, signal: null });
    const pgpassd = start(
      'run',
      '--request-timeout',
      '1s',
      '--authority-host',
      'https://silent.test/',
    );
    await pgpassd.waitFor('passfile.adopted', { within: 60_000 });
    pgpassd.signal('SIGHUP');
    for (let failed = 0; failed < 3; failed += 1) {
      await pgpassd.waitFor('refresh.failed', { within: 30_000 });
    }
    await appendFile(passfile, 'spoiled\n');
    const askedAtMs = performance.now();
    await pgpassd.waitFor('passfile.repaired', { within: 10_000 });
    expect(performance.now() - askedAtMs).toBeLessThan(5_000);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
    expect(network.asked.filter((query) => query === 'silent.test A')).toHaveLength(1);
  },
  100_000,
);

function unanswered(...domains: readonly string[]): Record<string, DnsAnswer> {
  return Object.fromEntries(domains.map((domain) => [`${name}.${domain}`, {}]));
}
