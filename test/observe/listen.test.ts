import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { openHttpServer } from '../../src/observe/http-server.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { ask, serve, views } from './clients.ts';

async function open(host: string, port = 0) {
  const server = await openHttpServer({ host, port }, views);
  onTestFinished(() => server.close(Promise.resolve()));
  return server;
}

async function refusal(host: string, port?: number) {
  const error = await open(host, port).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PgpassdError);
  const { code, message, remedy } = error as PgpassdError;
  return { code, message, remedy };
}

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1');

test.skipIf(!hasIpv6).each(['0.0.0.0', '', '::'])(
  'a host of "%s" means every address, IPv4 and IPv6 (with IPv6)',
  async (host) => {
    const server = await open(host);
    expect((await ask(server, { host: '127.0.0.1' })).status).toBe(200);
    expect((await ask(server, { host: '::1' })).status).toBe(200);
  },
);

test.each(['127.0.0.1', 'localhost'])('a host of %s means that one', async (host) => {
  expect((await ask(await open(host), { host })).status).toBe(200);
});

test('a port in use', async () => {
  const { port } = await serve();
  expect(await refusal('127.0.0.1', port)).toEqual({
    code: 'config.invalid',
    message: `cannot listen on --http-address (PGPASSD_HTTP_ADDRESS) 127.0.0.1:${port}: the port is in use (EADDRINUSE)`,
    remedy: 'Set it to a port that no other process of the pod uses, or to off.',
  });
});

test('a port in use on one address is not free on every address', async () => {
  const { port } = await serve();
  expect((await refusal('0.0.0.0', port)).message).toMatch(/the port is in use/);
});

test.each([
  ['192.0.2.1', '192.0.2.1:8432', 'it is not an address of this machine (EADDRNOTAVAIL)'],
  ['2001:db8::1', '[2001:db8::1]:8432', 'it is not an address of this machine (EADDRNOTAVAIL)'],
  ['no..name', 'no..name:8432', 'the name does not resolve (ENOTFOUND)'],
])('an address that is none of ours: %s', async (host, written, why) => {
  expect(await refusal(host, 8432)).toEqual({
    code: 'config.invalid',
    message: `cannot listen on --http-address (PGPASSD_HTTP_ADDRESS) ${written}: ${why}`,
    remedy: 'Set it to 0.0.0.0 and a port for every address of the pod, or to off.',
  });
});

test.skipIf(process.getuid?.() === 0)('a port that takes a privilege (not as root)', async () => {
  expect(await refusal('0.0.0.0', 80)).toEqual({
    code: 'config.invalid',
    message:
      'cannot listen on --http-address (PGPASSD_HTTP_ADDRESS) 0.0.0.0:80: the port requires a privilege (EACCES)',
    remedy: 'Set it to a port of 1024 or above, or to off.',
  });
});
