import { describe, test } from 'vitest';
import { readText } from '../documents/markdown.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { canMakeNetworks, openNetwork } from '../support/network.ts';
import { fileWith } from '../support/temporary-file.ts';
import {
  type Addresses,
  authorities,
  farFirst,
  hosts,
  name,
  needs,
  openTrusted,
  runAt,
  v4,
} from './slow-addresses.ts';

const here = canMakeNetworks();

/** One attempt, with more time than a busy machine takes. */
const once = ['once', '--request-timeout', '60s', '--timeout', '60s'];

describe.skipIf(!here).concurrent('once', () => {
  test.for(authorities)(
    `gets a token at the first try from an authority with %s (${needs})`,
    async ([, addresses], context) => {
      const { expect } = context;
      const { pgpassd, exit } = await runAt(addresses, once, context);
      expect(exit, pgpassd.output()).toEqual({ code: 0, signal: null });
      const line = pgpassd.lines.find(({ event }) => event === 'exchange.ended');
      expect(line).toMatchObject({ succeeded: true });
    },
  );
});

describe.skipIf(!here).concurrent('an address that is far', () => {
  test(`is reached when it is the token proxy's (${needs})`, async (context) => {
    const { expect } = context;
    const { entra, start, caPem } = await openTrusted(context, { basePath: '/proxy' });
    const ports = { 443: entra.port };
    const { onTestFinished } = context;
    const { under } = await openNetwork({ ...farFirst, ports, onTestFinished });
    const env = {
      AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
      AZURE_KUBERNETES_TOKEN_PROXY: `https://${name}/proxy`,
      AZURE_KUBERNETES_CA_DATA: caPem,
    };
    const pgpassd = start(once, { under, env });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
  });

  test(`is reached when it is an HTTP proxy's (${needs})`, async (context) => {
    const { expect, onTestFinished } = context;
    const { entra, start, env } = await openTrusted(context);
    const proxy = await startHttpProxy({ names: { [name]: entra.port } });
    onTestFinished(() => proxy.close());
    const { under } = await openNetwork({
      ...farFirst,
      onTestFinished,
      hosts: farFirst.hosts.replaceAll(name, 'proxy.test'),
      ports: { 3128: proxy.port },
    });
    const proxied = { ...env, HTTPS_PROXY: 'http://proxy.test:3128' };
    const pgpassd = start(once, { under, env: proxied });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    expect(proxy.targets).toEqual([`${name}:443`]);
  });

  test(`is reached by check, too (${needs})`, async (context) => {
    const { expect } = context;
    const args = ['check', '--request-timeout', '60s', '--timeout', '60s'];
    const { pgpassd } = await runAt(farFirst, args, context);
    const said = pgpassd.output().replaceAll(/\s+/g, ' ');
    expect(said).toContain(`${name}: resolves to ${v4[0]}`);
    expect(said).toContain(`${v4[0]}:443 accepts connections`);
    expect(said).toContain('Entra gave a token');
  });
});

describe.skipIf(!here).concurrent('a way on which something is lost', () => {
  /** Time for the first try to run out, wherever it gets, and for another. */
  const failing = ['once', '--request-timeout', '5s', '--timeout', '12s'];

  test(`is told by its phase when that is every SYN (${needs})`, async (context) => {
    const { expect } = context;
    const unreachable = { lost: [v4[0]], hosts: hosts(v4[0]) };
    const { pgpassd, exit } = await runAt(unreachable, failing, context);
    expect(exit.code, pgpassd.output()).toBe(5);
    expect(pgpassd.errors()).toContain(
      `${name} did not answer within 5 s: timed out in the TCP connection`,
    );
  });

  const middlebox: Addresses = { near: [v4[0]], hosts: hosts(v4[0]), dropsLargeHellos: true };

  test(`is told by its phase when that is a large ClientHello (${needs})`, async (context) => {
    const { expect } = context;
    const { pgpassd, exit } = await runAt(middlebox, failing, context);
    expect(exit.code, pgpassd.output()).toBe(5);
    expect(pgpassd.errors()).toContain('timed out in the TLS handshake');
    expect(pgpassd.errors()).toContain('ClientHello');
  });

  test(`is no obstacle to the small ClientHello that docs/settings.md configures (${needs})`, async (context) => {
    const { expect } = context;
    const page = readText('docs/settings.md');
    const [, recipe = ''] = /^( +nodejs_conf = [\s\S]*?Groups = .*)$/m.exec(page) ?? [];
    const config = await fileWith(`${recipe.replaceAll(/^ +/gm, '')}\n`, context.onTestFinished);
    const { pgpassd, exit } = await runAt(middlebox, once, context, { OPENSSL_CONF: config });
    expect(exit.code, pgpassd.output()).toBe(0);
  });
});
