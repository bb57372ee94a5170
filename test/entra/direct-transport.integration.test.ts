import { once } from 'node:events';
import { readFile, rename } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDirectTransport } from '../../src/entra/transport.ts';
import type { Fault } from '../support/fake-entra/faults.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith, makeFifo } from '../support/temporary-file.ts';
import {
  direct,
  endless,
  exchangeWith,
  failureOf,
  federatedToken,
  startEntra,
} from './exchange-parts.ts';

async function startWithCertificate({
  host = '127.0.0.1',
  expired = false,
  port = 0,
}: {
  host?: string;
  expired?: boolean;
  port?: number;
} = {}) {
  const ca = await createCa();
  const { keyPem, certPem } = await ca.issue({ hosts: [host], expired });
  const entra = await startEntra({ port, tls: { key: keyPem, cert: certPem } });
  return { entra, caFile: await fileWith(ca.certPem) };
}

describe('an authority with a private CA', () => {
  test('is trusted when the CA is named', async () => {
    const { entra, caFile } = await startWithCertificate();
    const { exchange } = await exchangeWith(entra, { caFile });
    const { token } = await exchange(await federatedToken(entra), endless);
    expect(token.unwrap()).toBe(entra.issued[0]);
  });

  test('is trusted when the CA is one among several in the file', async () => {
    const { entra, caFile } = await startWithCertificate();
    const { cert: another } = await generate([{ name: 'commonName', value: 'another CA' }]);
    const bundle = `${another}\n${await readFile(caFile, 'utf8')}`;
    const { exchange } = await exchangeWith(entra, { caFile: await fileWith(bundle) });
    await expect(exchange(await federatedToken(entra), endless)).resolves.toBeDefined();
  });

  test.each<[string, Parameters<typeof startWithCertificate>[0], boolean, string]>([
    ['the CA is not named', {}, false, 'unknown CA'],
    ['the certificate is for another name', { host: 'login.example' }, true, 'another name'],
    ['the certificate has expired', { expired: true }, true, 'expired'],
  ])('does not receive the assertion when %s', async (_case, certificate, named, what) => {
    const { entra, caFile } = await startWithCertificate(certificate);
    const { exchange } = await exchangeWith(entra, named ? { caFile } : {});
    const error = await failureOf(exchange(await federatedToken(entra), endless), entra);
    expect(error.code).toBe('entra.untrusted');
    expect(error.message).toContain(what);
    expect(error.remedy).toContain('--ca-file');
    expect(entra.requests).toEqual([]);
  });
});

test('a CA that was rotated is trusted from the next exchange on', async () => {
  const before = await startWithCertificate();
  const { caFile } = before;
  const { exchange } = await exchangeWith(before.entra, { caFile });
  await exchange(await federatedToken(before.entra), endless);
  await before.entra.close();

  const after = await startWithCertificate({ port: before.entra.port });
  await rename(after.caFile, caFile);
  await exchange(await federatedToken(after.entra), endless);
  expect(after.entra.issued).toHaveLength(1);
});

test('an authority whose CA only bears the name of ours is not trusted', async () => {
  const { entra } = await startWithCertificate();
  const { exchange } = await exchangeWith(entra, {
    caFile: await fileWith((await createCa()).certPem),
  });
  const error = await failureOf(exchange(await federatedToken(entra), endless), entra);
  expect(error.code).toBe('entra.untrusted');
  expect(entra.requests).toEqual([]);
});

describe('a CA file', () => {
  test.each<[string, () => Promise<string>, string]>([
    ['is missing', async () => '/nowhere/ca.crt', 'ENOENT'],
    ['is a directory', async () => tmpdir(), 'is not a regular file'],
    ['is a FIFO without a writer', makeFifo, 'is not a regular file'],
    ['is far too large', () => fileWith('x'.repeat(2 ** 22 + 1)), 'too large'],
    ['is empty', () => fileWith(''), 'is empty'],
    ['is in another format', () => fileWith('MIIB'), 'no PEM certificate'],
  ])('that %s is a problem of the configuration', async (_case, file, what) => {
    const caFile = await file();
    await expect(createDirectTransport({ ...direct, caFile })).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringMatching(`--ca-file ${caFile}.*${what}`),
    });
  });

  test('whose certificate is damaged is a problem of the configuration', async () => {
    const caFile = await fileWith(
      '-----BEGIN CERTIFICATE-----\nnot base64\n-----END CERTIFICATE-----\n',
    );
    await expect(createDirectTransport({ ...direct, caFile })).rejects.toMatchObject({
      code: 'config.invalid',
      message: `--ca-file ${caFile} holds a damaged certificate`,
    });
  });
});

describe('a connection over TLS that breaks', () => {
  test.each<[string, Fault]>([
    ['before the answer', { kind: 'reset', when: 'before' }],
    ['in the middle of the answer', { kind: 'reset', when: 'mid-body' }],
  ])('%s is reported as one, and does not affect the next exchange', async (_when, fault) => {
    const { entra, caFile } = await startWithCertificate();
    const { exchange } = await exchangeWith(entra, { caFile });
    entra.faults.next(fault);
    const federated = await federatedToken(entra);
    const error = await failureOf(exchange(federated, endless), entra);
    expect(error.code).toBe('entra.unreachable');
    expect(error.message).toContain('the connection was closed');
    const { token } = await exchange(federated, endless);
    expect(token.unwrap()).toBe(entra.issued.at(-1));
  });

  test.each(['end', 'resetAndDestroy'] as const)(
    'in the handshake (%s) is reported as one',
    async (how) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket[how]());
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const entra = await startEntra();
      const { exchange } = await exchangeWith(entra, {
        authorityHost: `https://127.0.0.1:${port}/`,
      });
      const error = await failureOf(exchange(await federatedToken(entra), endless), entra);
      expect(error.code).toBe('entra.unreachable');
      expect(error.message).toContain('the connection was closed');
    },
  );
});
