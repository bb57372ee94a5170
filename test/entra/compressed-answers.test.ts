import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { decodeBody, UndecodableBody } from '../../src/entra/exchange.ts';
import { endless, exchangeWith, failureOf, federatedToken, startEntra } from './exchange-parts.ts';

const granted = JSON.stringify({ access_token: 'issued', token_type: 'Bearer', expires_in: 3600 });

const quickBrotli = (bytes: Uint8Array): Buffer =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });

interface Reply {
  readonly status?: number;
  readonly coding: string | string[];
  readonly body: Uint8Array;
}

/** What an exchange comes to whose gateway answers so, whatever it is asked for. */
async function exchangeAnswered({ status = 200, coding, body }: Reply) {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers['accept-encoding']);
    request.resume().once('end', () => {
      response.setHeader('content-encoding', coding);
      response.writeHead(status).end(body);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const entra = await startEntra();
  const { port } = server.address() as AddressInfo;
  const { exchange } = await exchangeWith(entra, { authorityHost: `http://127.0.0.1:${port}/` });
  return { entra, asked, exchanging: exchange(await federatedToken(entra), endless) };
}

describe('an answer that is compressed', () => {
  test.each<[string, string | string[], Uint8Array]>([
    ['gzip', 'gzip', gzipSync(granted)],
    ['gzip in capitals', 'GZIP', gzipSync(granted)],
    ['gzip by its old name', 'x-gzip', gzipSync(granted)],
    ['deflate', 'deflate', deflateSync(granted)],
    ['deflate without a header', 'deflate', deflateRawSync(granted)],
    ['Brotli', 'br', brotliCompressSync(granted)],
    ['Zstandard', 'zstd', zstdCompressSync(granted)],
    ['two codings', 'gzip, br', brotliCompressSync(gzipSync(granted))],
    ['two codings in two fields', ['gzip', 'br'], brotliCompressSync(gzipSync(granted))],
    ['none, by its name', 'identity', Buffer.from(granted)],
  ])('by %s is read, although none was asked for', async (_how, coding, body) => {
    const { exchanging, asked } = await exchangeAnswered({ coding, body });
    expect((await exchanging).token.unwrap()).toBe('issued');
    expect(asked).toEqual(['identity']);
  });

  test.each<[string, Reply, RegExp]>([
    ['by an unknown coding', { coding: 'compress', body: gzipSync(granted) }, /"compress"/],
    ['by a property of every object', { coding: 'constructor', body: gzipSync(granted) }, /constr/],
    ['and damaged', { coding: 'gzip', body: Buffer.from(granted) }, /damaged.*"gzip"/],
    ['and cut off', { coding: 'br', body: brotliCompressSync(granted).subarray(0, 9) }, /"br"/],
    ['more often than makes sense', { coding: 'gzip,gzip,gzip,gzip', body: gzipSync('') }, /gzip/],
  ])('%s is reported with its content-encoding', async (_how, reply, what) => {
    const { entra, exchanging } = await exchangeAnswered(reply);
    const error = await failureOf(exchanging, entra);
    expect(error.code).toBe('entra.bad-answer');
    expect(error.message).toMatch(what);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', quickBrotli],
    ['zstd', zstdCompressSync],
  ] as const)('by %s to a thousandth is not unpacked beyond 1 MiB', async (coding, compress) => {
    const body = compress(Buffer.alloc(32 * 1024 * 1024));
    expect(body.length).toBeLessThan(1024 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    await expect(decodeBody(body, coding, 1024 * 1024)).rejects.toThrow(UndecodableBody);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    const { entra, exchanging } = await exchangeAnswered({ coding, body });
    const error = await failureOf(exchanging, entra);
    expect(error.message).toMatch(/larger than 1 MiB/);
  });

  test('is reported by its status when it is a failure that cannot be decoded', async () => {
    const reply = { status: 503, coding: 'compress', body: Buffer.from('x') };
    const { entra, exchanging } = await exchangeAnswered(reply);
    expect((await failureOf(exchanging, entra)).code).toBe('entra.unavailable');
  });

  test('is reported in the words of Entra when it is a refusal', async () => {
    const refusal = { error: 'invalid_client', error_description: 'AADSTS700213: No match.' };
    const body = gzipSync(JSON.stringify(refusal));
    const { entra, exchanging } = await exchangeAnswered({ status: 401, coding: 'gzip', body });
    expect((await failureOf(exchanging, entra)).details.aadsts).toBe('AADSTS700213');
  });

  test('may have nothing in it', async () => {
    expect((await decodeBody(Buffer.alloc(0), 'gzip', 1024)).length).toBe(0);
  });
});
