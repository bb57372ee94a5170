import { describe, expect, test } from 'vitest';
import { type RefusedIdentity, remedyFor } from '../../src/entra/aadsts.ts';

const identity: RefusedIdentity = {
  tenantId: 'the-tenant-id',
  clientId: 'the-client-id',
  scope: 'https://the-scope/.default',
  issuer: 'https://the-issuer/',
  subject: 'system:serviceaccount:the-namespace:the-account',
  audience: ['api://the-audience', 'api://the-other'],
};

const { tenantId, clientId, scope, issuer = '', subject = '', audience } = identity;
const allOfIt = [issuer, subject, ...audience];

describe('the remedy', () => {
  test.each<[number, string, readonly string[]]>([
    [50027, 'the assertion is no JWT', ['--federated-token-file', 'AZURE_FEDERATED_TOKEN_FILE']],
    [50166, 'the issuer cannot be fetched', [issuer]],
    [50196, 'somebody asks in a loop', ['crash loop']],
    [53003, 'Conditional Access', [clientId, 'Conditional Access']],
    [70001, 'the application is unknown', [clientId, tenantId, 'AZURE_CLIENT_ID']],
    [70011, 'the scope is malformed', [scope, '--scope']],
    [70021, 'no credential matches', allOfIt],
    [70023, 'the assertion lives too long', ['86400']],
    [70025, 'there is no federated credential', [clientId, issuer, subject]],
    [90002, 'the tenant is unknown', [tenantId, 'AZURE_TENANT_ID', 'AZURE_AUTHORITY_HOST']],
    [90038, 'the tenant lives in another cloud', ['AZURE_AUTHORITY_HOST']],
    [90061, "the issuer's endpoint fails", [issuer]],
    [500011, 'the resource is unknown', [scope, '--scope']],
    [700011, 'the application is unknown', [clientId, tenantId]],
    [700016, 'the application is unknown', [clientId, tenantId, '--client-id']],
    [700024, 'the assertion has expired', ['kubelet', 'subPath', 'NTP']],
    [700211, 'the issuer differs', [issuer, 'issuer', 'slash']],
    [
      700212,
      'the audience differs',
      [...audience, 'api://AzureADTokenExchange', 'AZURE_KUBERNETES_TOKEN_PROXY'],
    ],
    [700213, 'the subject differs', [subject, 'subject']],
    [700222, 'the assertion is a token of Entra', ['--federated-token-file']],
    [900021, 'the tenant is empty', [tenantId, '--tenant-id']],
    [900023, 'the tenant is malformed', [tenantId, '--tenant-id']],
    [900382, 'the client lives in another cloud', ['--authority-host']],
    [900432, 'the client lives in another cloud', ['--authority-host']],
    [900612, "the issuer's keys cannot be read", [issuer, 'keys']],
    [1002012, 'the scope lacks /.default', [scope, '/.default']],
    [7000112, 'the application is disabled', ['Enable']],
    [7000229, 'there is no service principal', [`az ad sp create --id ${clientId}`, tenantId]],
    [7000272, 'the signing key is unknown', [issuer, 'keys']],
    [7002138, 'the case differs', allOfIt],
  ])('for AADSTS%i (%s) names what to compare', (code, _meaning, names) => {
    const remedy = remedyFor(code, identity);
    for (const name of names) expect(remedy).toContain(name);
  });

  test.each([700211, 700213, 70021, 70025])(
    'for AADSTS%i says that a new credential takes some minutes',
    (code) => {
      expect(remedyFor(code, identity)).toContain('minutes');
    },
  );

  test.each([undefined, 0, 9_999_999, Number.NaN])(
    'for the unknown code %s names the identity all the same',
    (code) => {
      const remedy = remedyFor(code, identity);
      expect(remedy).toContain(clientId);
      expect(remedy).toContain(tenantId);
    },
  );

  test.each([50166, 70021, 70025, 700211, 700212, 700213, 7000272, 7002138])(
    'for AADSTS%i can be read when the assertion says nothing of itself',
    (code) => {
      const silent = { ...identity, issuer: undefined, subject: undefined, audience: [] };
      const remedy = remedyFor(code, silent);
      expect(remedy).not.toContain('undefined');
      expect(remedy).toMatch(/^[A-Z].*\.$/);
    },
  );
});
