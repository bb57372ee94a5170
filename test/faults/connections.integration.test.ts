import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { relay } from '../postgres/relay.ts';
import { type FakeEntra, startFakeEntra } from '../support/fake-entra/server.ts';
import {
  type CertificateAuthority,
  createCa,
  type ServerCertificate,
} from '../support/postgres/certificates.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { endure, entraDoes, namesOf, type Outage } from './outage.ts';
import { type Context, noPsql, openPod } from './pod.ts';

let azure: Azure;
let ca: CertificateAuthority;
let caFile: string;

beforeAll(async () => {
  azure = await startAzure({});
  ca = await createCa();
  caFile = join(dirname(azure.passfile), 'entra-ca.crt');
  await writeFile(caFile, ca.certPem);
}, startTimeoutMs);
afterAll(() => azure.close());

const host = '127.0.0.1';
const hosts = [host];

const tlsOf = ({ certPem, keyPem }: ServerCertificate) => ({ cert: certPem, key: keyPem });

async function openRelay(port: number, { onTestFinished }: Context) {
  const target = { host, port };
  const server = await relay(target, { host, port: 0 });
  onTestFinished(async () => void server.close());
  const { port: own } = server.address() as AddressInfo;
  return {
    authority: `${host}:${own}`,
    target,
    close: () => closed(server),
    open: () => once(server.listen(own, host), 'listening'),
  };
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

const brokenOff = {
  told: { reason: 'entra.unreachable' },
  remedy: /check the proxy or firewall in between/,
};
const tooSlow = {
  told: { reason: 'entra.timeout' },
  remedy: /NetworkPolicy, firewall, proxy.*--request-timeout/,
};

const brief = ['--request-timeout', '5s'];

const reset = (when: 'before' | 'mid-body') => entraDoes({ kind: 'reset', when });

const brokenOffOrTooSlow: readonly (readonly Outage[])[] = [
  [
    { name: 'a reset before the answer', ...brokenOff, ...reset('before') },
    { name: 'a hang before the headers', ...tooSlow, ...entraDoes({ kind: 'hang' }) },
  ],
  [
    { name: 'a reset in the middle of the answer', ...brokenOff, ...reset('mid-body') },
    { name: 'a drip of a byte a second', ...tooSlow, ...entraDoes({ kind: 'drip' }) },
  ],
];

describe
  .skipIf(noPsql)
  .concurrent('an application notices nothing of (psql must be installed)', () => {
    const named = brokenOffOrTooSlow.map((outages) => [namesOf(outages), outages] as const);
    test.for(named)('%s', async ([, outages], context) => {
      await endure(await openPod(azure, context), outages, context, { args: brief });
    });

    test('a refused connection', async (context) => {
      const pod = await openPod(azure, context);
      const { authority, close, open } = await openRelay(pod.entra.port, context);
      const outage: Outage = {
        name: 'a refused connection',
        told: { reason: 'entra.unreachable' },
        remedy: /Allow egress/,
        begin: close,
        end: open,
      };
      const env = { AZURE_AUTHORITY_HOST: `http://${authority}/` };
      await endure(pod, [outage], context, { env });
    });

    test.for([
      { name: 'an untrusted certificate', issue: async () => (await createCa()).issue({ hosts }) },
      { name: 'an expired certificate', issue: () => ca.issue({ hosts, expired: true }) },
    ])('$name, and nothing is sent to who has it', async ({ name, issue }, context) => {
      const pod = await openPod(azure, context, { tls: tlsOf(await ca.issue({ hosts })) });
      const impostor = await startFakeEntra({ tls: tlsOf(await issue()) });
      context.onTestFinished(() => impostor.close());
      const { authority, target } = await openRelay(pod.entra.port, context);
      const leadTo = ({ port }: FakeEntra) => {
        target.port = port;
      };
      const outage: Outage = {
        name,
        told: { reason: 'entra.untrusted' },
        remedy: /--ca-file/,
        begin: () => leadTo(impostor),
        end: () => leadTo(pod.entra),
      };
      const env = { AZURE_AUTHORITY_HOST: `https://${authority}/` };
      await endure(pod, [outage], context, { env, args: ['--ca-file', caFile] });
      context.expect(impostor.requests).toEqual([]);
    });
  });
