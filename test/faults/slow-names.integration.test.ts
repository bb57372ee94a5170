import { describe, test } from 'vitest';
import { canMakeNetworks } from '../support/network.ts';
import type { DnsAnswer } from '../support/network-inhabitants.ts';
import { address, known, name, needs, openPod } from './slow-names.ts';

describe.skipIf(!canMakeNetworks()).concurrent('a slow resolver', () => {
  test.for<[string, Readonly<Record<string, DnsAnswer>>, string]>([
    [
      'answers after 22 s',
      { [name]: { ...known, delayMs: 22_000 } },
      'options timeout:30 attempts:1',
    ],
    [
      'never answers for AAAA, nor for the names that ndots makes of it',
      { [name]: { ipv4: [address] }, ...unanswered('shop.svc.cluster.local', 'svc.cluster.local') },
      'search shop.svc.cluster.local svc.cluster.local\noptions ndots:5 timeout:6',
    ],
  ])(
    `once gets a token while the DNS %s (${needs})`,
    async ([_how, dns, resolver], { expect, onTestFinished }) => {
      const { start, network } = await openPod(dns, resolver, onTestFinished);
      const pgpassd = start('once');
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
      expect(pgpassd.lines.some(({ event }) => event === 'refresh.failed')).toBe(true);
      expect(network.asked).not.toEqual([]);
    },
  );

  test(`an answer that comes between two tries serves the next one, and one alone (${needs})`, async ({
    expect,
    onTestFinished,
  }) => {
    const { start, network } = await openPod(
      { [name]: { ...known, delayMs: 6_500 } },
      'options timeout:30 attempts:1',
      onTestFinished,
    );
    const pgpassd = start('run', '--request-timeout', '6s');
    await pgpassd.waitFor('refresh.failed');
    await pgpassd.waitFor('token.refreshed');
    expect(network.asked.filter((query) => query.endsWith(' A'))).toHaveLength(1);
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('refresh.failed');
    expect(network.asked.filter((query) => query.endsWith(' A')).length).toBeGreaterThan(1);
  });
});

function unanswered(...domains: readonly string[]): Record<string, DnsAnswer> {
  return Object.fromEntries(domains.map((domain) => [`${name}.${domain}`, {}]));
}
