import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LoginTarget } from '../../../src/check/login/target.ts';
import type { Secret } from '../../../src/support/secret.ts';
import { type Azure, ROLE, SERVER_NAME, startAzure } from '../../postgres/azure.ts';
import { createCa } from '../../support/postgres/certificates.ts';
import { startTimeoutMs } from '../../support/postgres/server.ts';
import { fileWith } from '../../support/temporary-file.ts';
import { issueToken, loginTo } from './parts.ts';

let azure: Azure;
let token: Secret;

beforeAll(async () => {
  azure = await startAzure({});
  token = await issueToken();
}, startTimeoutMs);
afterAll(() => azure.close());
beforeEach(() => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  return () => vi.unstubAllEnvs();
});

function server(change: Partial<LoginTarget>): LoginTarget {
  return {
    host: SERVER_NAME,
    hostaddr: azure.front.host,
    port: azure.front.port,
    database: 'postgres',
    user: ROLE,
    sslmode: 'verify-full',
    rootCertPath: azure.client.rootCert,
    connectTimeoutMs: undefined,
    ...change,
  };
}

describe('with NODE_TLS_REJECT_UNAUTHORIZED=0 a login verifies what libpq verifies', () => {
  test.each(['verify-full', 'verify-ca', 'require'] as const)(
    'with sslmode=%s and a CA: that it signed the certificate',
    async (sslmode) => {
      const rootCertPath = await fileWith((await createCa()).certPem);
      const finding = await loginTo(server({ sslmode, rootCertPath }), token);
      expect(finding).toMatchObject({ cause: 'server-untrusted' });
    },
  );

  test('with sslmode=verify-full: the name', async () => {
    const finding = await loginTo(server({ host: 'another.example' }), token);
    expect(finding).toMatchObject({ cause: 'server-other-name' });
  });

  test.each<Partial<LoginTarget>>([
    { sslmode: 'verify-ca', host: 'another.example' },
    { sslmode: 'require', rootCertPath: undefined },
    { sslmode: 'require', host: 'another.example' },
  ])('and nothing else: with %j', async (change) => {
    expect(await loginTo(server(change), token)).toMatchObject({ mark: 'ok' });
  });
});
