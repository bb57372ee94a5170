import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import type { OnTestFinished } from '../support/clean-up.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { openWorkload } from './workload.ts';

async function openWithPrivateCa(onTestFinished: OnTestFinished) {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-ca-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const ca = await createCa();
  const caFile = join(directory, 'ca.crt');
  await writeFile(caFile, ca.certPem);
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: ['127.0.0.1'] });
  return { caFile, ...(await openWorkload({ tls: { cert, key }, onTestFinished })) };
}

test.concurrent.for<[string, (caFile: string) => Record<string, string>]>([
  ['NODE_EXTRA_CA_CERTS', (caFile) => ({ NODE_EXTRA_CA_CERTS: caFile })],
  ['--ca-file', (caFile) => ({ PGPASSD_CA_FILE: caFile })],
  ['both', (caFile) => ({ NODE_EXTRA_CA_CERTS: caFile, PGPASSD_CA_FILE: caFile })],
])(
  'an authority with a private CA is trusted when %s names it',
  async ([_case, env], { expect, onTestFinished }) => {
    const { caFile, start } = await openWithPrivateCa(onTestFinished);
    const pgpassd = start(['once'], { env: env(caFile) });
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
  },
);

test.concurrent('an authority with a private CA that no setting names is sent nothing, and the remedy names --ca-file', async ({
  expect,
  onTestFinished,
}) => {
  const { entra, start } = await openWithPrivateCa(onTestFinished);
  const pgpassd = start(['once', '--timeout', '10s']);
  expect(await pgpassd.exited).toEqual({ code: 5, signal: null });
  expect(pgpassd.errors()).toContain('--ca-file');
  expect(entra.requests).toEqual([]);
});
