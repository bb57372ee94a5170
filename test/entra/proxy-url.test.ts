import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { httpProxyUrl, openTransport } from '../../src/entra/transport.ts';
import type { PgpassdError } from '../../src/support/errors.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';
import { endless, exchangeWith, federatedToken, startEntra } from './exchange-parts.ts';

describe('HTTPS_PROXY', () => {
  test.each([
    ['proxy.example.com:3128', 'http://proxy.example.com:3128/'],
    ['proxy.example.com', 'http://proxy.example.com/'],
    ['proxy', 'http://proxy/'],
    ['proxy:3128/', 'http://proxy:3128/'],
    ['10.0.0.1:3128', 'http://10.0.0.1:3128/'],
    ['[2001:db8::1]:3128', 'http://[2001:db8::1]:3128/'],
    ['pod:hunter2@proxy:3128', 'http://pod:hunter2@proxy:3128/'],
    ['pod:hunter%3A2@[::1]:3128', 'http://pod:hunter%3A2@[::1]:3128/'],
    ['http://proxy:3128', 'http://proxy:3128/'],
    ['HTTP://proxy:3128/', 'http://proxy:3128/'],
    [' http://proxy:3128\n', 'http://proxy:3128/'],
    ['proxy:3128\n', 'http://proxy:3128/'],
    ['https://pod:hunter2@proxy', 'https://pod:hunter2@proxy/'],
    ['http://pod@proxy:3128/a/path?and=more#still', 'http://pod@proxy:3128/'],
  ])('%s means %s', (text, url) => {
    expect(httpProxyUrl(text)).toBe(url);
  });

  test.each([
    ['socks5://pod:hunter2@proxy:1080', /SOCKS/],
    ['socks5h://pod:hunter2@proxy', /SOCKS/],
    ['SOCKS4://pod:hunter2@proxy', /SOCKS/],
    ['socks://pod:hunter2@proxy', /SOCKS/],
    ['ftp://pod:hunter2@proxy', /not the URL of an HTTP proxy/],
    ['http//pod:hunter2@proxy', /not the URL of an HTTP proxy/],
    ['pod:hunter2@proxy:port', /not the URL of an HTTP proxy/],
    ['pod:hunter2@proxy 2', /not the URL of an HTTP proxy/],
    ['http://', /not the URL of an HTTP proxy/],
    ['http://pod:hunter2%@proxy', /percent-encoding in its user or password/],
  ])('%s is refused, and not quoted', (text, why) => {
    let error: unknown;
    try {
      httpProxyUrl(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'config.invalid' });
    expect((error as PgpassdError).message).toMatch(why);
    expect(inspect(error, { depth: null })).not.toContain('hunter2');
  });
});

describe('an exchange', () => {
  test.each<[string, string, (port: number) => NodeJS.ProcessEnv]>([
    ['HTTPS_PROXY=HOST:PORT', '127.0.0.1', (port) => ({ HTTPS_PROXY: `127.0.0.1:${port}` })],
    ['https_proxy=HOST:PORT', '127.0.0.1', (port) => ({ https_proxy: `127.0.0.1:${port}` })],
    [
      'USER:PASSWORD@HOST:PORT',
      '127.0.0.1',
      (port) => ({ HTTPS_PROXY: `pod:pass%20word@127.0.0.1:${port}` }),
    ],
    ['[ADDRESS]:PORT', '::1', (port) => ({ HTTPS_PROXY: `[::1]:${port}` })],
  ])('goes through the proxy of %s', async (_how, host, envFor) => {
    const ca = await createCa();
    const { keyPem: key, certPem: cert } = await ca.issue({ hosts: ['127.0.0.1'] });
    const entra = await startEntra({ tls: { key, cert } });
    const withPassword = JSON.stringify(envFor(1)).includes('@');
    const proxy = await startHttpProxy({
      host,
      ...(withPassword && { credentials: 'pod:pass word' }),
    });
    onTestFinished(() => proxy.close());
    const transport = await openTransport(
      { caFile: await fileWith(ca.certPem), tokenProxy: undefined },
      envFor(proxy.port),
    );
    const { exchange } = await exchangeWith(entra, { transport });
    await exchange(await federatedToken(entra), endless);
    expect(proxy.targets).toEqual([`127.0.0.1:${entra.port}`]);
  });
});
