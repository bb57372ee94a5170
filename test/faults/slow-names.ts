import { onTestFinished } from 'vitest';
import { openWorkload } from '../process/workload.ts';
import type { OnTestFinished } from '../support/clean-up.ts';
import { type Network, openNetwork } from '../support/network.ts';
import type { DnsAnswer } from '../support/network-inhabitants.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';

export const name = 'login.entra.test';
export const address = '203.0.113.1';
export const needs = 'needs unshare, nsenter, ip and nft';
export const known: DnsAnswer = { ipv4: [address], ipv6: [] };

/** A pod whose authority is known to a DNS server alone, and how its resolver is set up. */
export async function openPod(
  dns: Readonly<Record<string, DnsAnswer>>,
  resolver: string,
  finished: OnTestFinished = onTestFinished,
) {
  const ca = await createCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [name] });
  const workload = await openWorkload({ tls: { cert, key }, onTestFinished: finished });
  const network: Network = await openNetwork({
    near: [address],
    ports: { 443: workload.entra.port },
    dns,
    resolver,
    onTestFinished: finished,
  });
  const env = {
    AZURE_AUTHORITY_HOST: `https://${name}/`,
    PGPASSD_CA_FILE: await fileWith(ca.certPem, finished),
  };
  const start = (...args: readonly string[]) => workload.start(args, { under: network.under, env });
  return { ...workload, network, start };
}
