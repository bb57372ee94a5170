import { describe, expect, onTestFinished, test } from 'vitest';
import { startHttpProxy } from '../support/http-proxy.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { fileWith } from '../support/temporary-file.ts';
import { openWorkload } from './workload.ts';

const unverified = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };

/** An authority of a private CA with a certificate for `host`. */
async function open(host = '127.0.0.1', basePath = '') {
  const ca = await createCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [host] });
  const workload = await openWorkload({ tls: { cert, key }, basePath });
  return { ...workload, ca, caFile: await fileWith(ca.certPem), tls: { cert, key } };
}

const proxied = async (tls: { cert: string; key: string }) => {
  const proxy = await startHttpProxy({ tls });
  onTestFinished(() => proxy.close());
  return { HTTPS_PROXY: `https://127.0.0.1:${proxy.port}` };
};

describe('NODE_TLS_REJECT_UNAUTHORIZED=0 lets no assertion go to', () => {
  test.each<[string, () => Promise<[Awaited<ReturnType<typeof open>>, Record<string, string>]>]>([
    ['an authority of an unknown CA', async () => [await open(), {}]],
    [
      'an authority by another name',
      async () => {
        const pod = await open('login.example');
        return [pod, { PGPASSD_CA_FILE: pod.caFile }];
      },
    ],
    [
      'an authority of an unknown CA, through an HTTP proxy',
      async () => {
        const pod = await open();
        const proxy = await startHttpProxy();
        onTestFinished(() => proxy.close());
        return [pod, { HTTPS_PROXY: `127.0.0.1:${proxy.port}` }];
      },
    ],
    [
      'an authority by another name, through an HTTPS proxy',
      async () => {
        const pod = await open('login.example');
        const { certPem: cert, keyPem: key } = await pod.ca.issue({ hosts: ['127.0.0.1'] });
        return [pod, { PGPASSD_CA_FILE: pod.caFile, ...(await proxied({ cert, key })) }];
      },
    ],
    [
      'an authority, through an HTTPS proxy of an unknown CA',
      async () => {
        const pod = await open();
        const { certPem: cert, keyPem: key } = await (await createCa()).issue({
          hosts: ['127.0.0.1'],
        });
        return [pod, { PGPASSD_CA_FILE: pod.caFile, ...(await proxied({ cert, key })) }];
      },
    ],
    [
      'a token proxy of an unknown CA',
      async () => {
        const pod = await open('127.0.0.1', '/proxy');
        const url = `https://127.0.0.1:${pod.entra.port}/proxy`;
        return [pod, { AZURE_KUBERNETES_TOKEN_PROXY: url }];
      },
    ],
    [
      'a token proxy by another name than its SNI name',
      async () => {
        const pod = await open('127.0.0.1', '/proxy');
        return [
          pod,
          {
            AZURE_KUBERNETES_TOKEN_PROXY: `https://127.0.0.1:${pod.entra.port}/proxy`,
            AZURE_KUBERNETES_CA_FILE: pod.caFile,
            AZURE_KUBERNETES_SNI_NAME: 'token-proxy.aks',
          },
        ];
      },
    ],
  ])('%s', async (_whom, openPod) => {
    const [{ entra, start }, env] = await openPod();
    const pgpassd = start(['run'], { env: { ...unverified, ...env } });
    const failure = await pgpassd.waitFor('refresh.failed');
    expect(failure).toMatchObject({ reason: 'entra.untrusted' });
    expect(entra.requests).toEqual([]);
  });
});

test.each(['run', 'once'])('%s warns once that the variable is ignored', async (command) => {
  const { start, caFile } = await open();
  const pgpassd = start([command], { env: { ...unverified, PGPASSD_CA_FILE: caFile } });
  const line = await pgpassd.waitFor('verification.kept');
  expect(line).toMatchObject({ level: 'warn' });
  expect(line.msg).toContain('NODE_TLS_REJECT_UNAUTHORIZED=0');
  await pgpassd.waitFor('token.refreshed');
  expect(pgpassd.lines.filter(({ event }) => event === 'verification.kept')).toHaveLength(1);
});

test('check says that the variable is ignored, and verifies', async () => {
  const { start, entra } = await open();
  const pgpassd = start(['check'], { env: unverified });
  expect(await pgpassd.exited).toEqual({ code: 5, signal: null });
  const said = pgpassd.output().replaceAll(/\s+/g, ' ');
  expect(said).toMatch(/NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored.*remove it.*--ca-file/);
  expect(said).toContain('unknown CA');
  expect(entra.requests).toEqual([]);
});
