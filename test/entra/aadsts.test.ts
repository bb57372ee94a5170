import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RefusedIdentity } from '../../src/entra/failure.ts';
import { documentedCodes, explainCode } from '../../src/entra/failure.ts';
import type { Nature } from '../../src/support/errors.ts';

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
const tokenFile = ['--federated-token-file', 'AZURE_FEDERATED_TOKEN_FILE'];
const client = [clientId, tenantId, 'AZURE_CLIENT_ID', '--client-id'];
const tenant = [tenantId, 'AZURE_TENANT_ID', '--tenant-id', 'AZURE_AUTHORITY_HOST'];
const cloud = [tenantId, 'AZURE_AUTHORITY_HOST', '--authority-host'];
const resource = [scope, '--scope', tenantId, 'Azure OSSRDBMS Database'];
const policy = [clientId, 'Conditional Access', 'egress'];
const request = ['--token-param', '--token-endpoint'];
const user = [clientId, ...request, 'grant_type', 'does not fit'];
const restrictions = [tenantId, 'egress proxy'];

type Sample = readonly [code: number, what: string, nature: Nature, names: readonly string[]];

const samples: readonly Sample[] = [
  [28002, 'the scope is invalid', 'operator', [scope, '--scope', '/.default']],
  [50000, 'issuing a token failed', 'transient', ['Entra']],
  [50001, 'the resource is disabled', 'operator', resource],
  [50012, 'the signature is not that of a certificate', 'operator', [clientId, issuer]],
  [50013, "a user's assertion is invalid", 'ours', user],
  [50027, 'the assertion is no JWT', 'operator', tokenFile],
  [50033, 'a retryable error', 'transient', ['Entra']],
  [50034, 'there is no such user', 'ours', user],
  [50053, 'the user is locked', 'ours', user],
  [50059, 'no tenant is named', 'ours', [tenantId, '--token-endpoint']],
  [50076, 'a user needs a second factor', 'ours', user],
  [50079, 'a user has to enrol', 'ours', user],
  [50105, 'the identity is not assigned', 'operator', [clientId, scope, 'Assign']],
  [50126, 'the password is wrong', 'ours', user],
  [50128, 'the domain is unknown', 'ours', [tenantId, '--token-endpoint']],
  [50166, 'the issuer cannot be fetched', 'transient', [issuer, 'az aks update']],
  [50196, 'a client asks in a loop', 'transient', ['another program', 'crash loop']],
  [53000, 'the device does not comply', 'operator', policy],
  [53001, 'the device has not joined', 'operator', policy],
  [53002, 'the application is not approved', 'operator', policy],
  [53003, 'Conditional Access', 'operator', policy],
  [53004, 'a user has to prove an identity', 'operator', policy],
  [53005, 'an application needs protection policies', 'operator', policy],
  [53006, 'a federated provider is required', 'operator', policy],
  [53007, 'a policy', 'operator', policy],
  [53008, 'the browser is not supported', 'operator', policy],
  [53009, 'an application needs Intune policies', 'operator', policy],
  [53010, 'where a user may enrol', 'operator', policy],
  [53011, 'a user is at risk', 'operator', policy],
  [65001, 'consent is missing', 'operator', [clientId, tenantId, scope, '--scope', 'consent']],
  [70001, 'the application is unknown', 'operator', client],
  [70011, 'the scope is malformed', 'operator', [scope, '--scope', '/.default']],
  [70021, 'no credential matches', 'propagating', [clientId, ...allOfIt]],
  [70023, 'the assertion lives too long', 'operator', ['token-expiration', '86400']],
  [70025, 'there is no federated credential', 'propagating', [clientId, issuer, subject]],
  [90002, 'the tenant is unknown', 'operator', tenant],
  [90006, 'the provider is unavailable', 'transient', ['Entra']],
  [90012, 'it took too long', 'transient', ['Entra']],
  [90019, 'no tenant is named', 'ours', [tenantId, '--token-endpoint']],
  [90024, 'the budget is used up', 'transient', ['Entra']],
  [90033, 'the directory is unavailable', 'transient', ['Entra']],
  [90036, 'a failure that stays', 'operator', [tenantId, 'support case', 'correlation id']],
  [90038, 'the tenant lives in another cloud', 'operator', cloud],
  [90055, 'the tenant is throttled', 'transient', ['another program', 'crash loop']],
  [90061, "the issuer's endpoint fails", 'transient', [issuer]],
  [90090, 'the directory fails', 'transient', ['Entra']],
  [90091, 'the directory fails', 'transient', ['Entra']],
  [90092, 'a failure that stays', 'operator', [tenantId, 'support case', 'correlation id']],
  [90094, 'consent is missing', 'operator', [clientId, tenantId, scope, 'administrator']],
  [100007, 'a regional endpoint', 'operator', ['--authority-host', '--token-endpoint', 'regional']],
  [500011, 'the resource is unknown', 'operator', resource],
  [500021, 'a proxy restricts tenants', 'operator', restrictions],
  [500022, 'a proxy restricts tenants', 'operator', restrictions],
  [500133, "a user's assertion has expired", 'ours', user],
  [500212, "the other tenant's policy", 'operator', restrictions],
  [500213, "the other tenant's policy", 'operator', restrictions],
  [501051, 'the identity is not assigned', 'operator', [clientId, scope, 'Assign']],
  [530032, 'a security policy', 'operator', policy],
  [530034, 'a security policy', 'operator', policy],
  [530035, 'a security default', 'operator', policy],
  [650052, 'the resource is not subscribed to', 'operator', resource],
  [650057, 'the resource is not listed', 'operator', resource],
  [700011, 'the application is unknown', 'operator', client],
  [700016, 'the application is unknown', 'propagating', client],
  [700022, 'several resources', 'operator', [scope, '--scope', '/.default']],
  [700023, 'several resources', 'operator', [scope, '--scope', '/.default']],
  [700024, 'the assertion has expired', 'operator', ['kubelet', 'subPath', 'NTP']],
  [700025, 'the client is public', 'operator', [clientId, 'public client flows']],
  [700027, 'the signature is not that of a certificate', 'operator', [clientId, issuer]],
  [700030, 'the certificate has another subject', 'ours', user],
  [700211, 'the issuer differs', 'propagating', [issuer, 'issuer', 'slash']],
  [
    700212,
    'the audience differs',
    'operator',
    [...audience, 'api://AzureADTokenExchange', 'AZURE_KUBERNETES_TOKEN_PROXY'],
  ],
  [700213, 'the subject differs', 'propagating', [subject, 'subject']],
  [700222, 'the assertion is a token of Entra', 'operator', tokenFile],
  [700223, 'a policy forbids the issuer', 'operator', [tenantId, issuer, 'administrator']],
  [700229, 'the assertion is a token of Entra', 'operator', tokenFile],
  [700238, 'a policy forbids federation', 'operator', [tenantId, issuer, 'administrator']],
  [900021, 'the tenant is empty', 'operator', tenant],
  [900023, 'the tenant is malformed', 'operator', tenant],
  [900144, 'a field is missing', 'ours', request],
  [900382, 'the client lives in another cloud', 'operator', cloud],
  [900432, 'the client lives in another cloud', 'operator', cloud],
  [900561, 'the POST became a GET', 'ours', ['POST', 'proxy', '--token-endpoint']],
  [900612, "the issuer's keys cannot be read", 'operator', [issuer, 'keys']],
  [900971, 'there is no address to reply to', 'ours', user],
  [901002, 'resource is not a field', 'ours', ['resource', '--token-param', scope]],
  [1002012, 'the scope lacks /.default', 'operator', [scope, '--scope', '/.default']],
  [7000112, 'the application is disabled', 'operator', ['Enable', clientId, tenantId]],
  [7000215, 'the secret is wrong', 'operator', ['client_secret', '--token-param', clientId]],
  [7000218, 'there is no assertion', 'ours', request],
  [7000222, 'the secret has expired', 'operator', ['client_secret', '--token-param', clientId]],
  [
    7000229,
    'there is no service principal',
    'operator',
    [`az ad sp create --id ${clientId}`, tenantId],
  ],
  [7000272, 'the signing key is unknown', 'propagating', [issuer, 'keys']],
  [7002131, 'no expression matches', 'operator', allOfIt],
  [7002138, 'the case differs', 'operator', [...allOfIt, 'case']],
  [7002381, 'a policy forbids the claims', 'operator', [tenantId, issuer, 'administrator']],
  [9002313, 'the request is malformed', 'ours', request],
];

/** What the end of a sentence has to promise or to ask for. */
const endings: Readonly<Record<Nature, RegExp>> = {
  transient: /retries by itself.* can be used until it expires\.$/,
  propagating: /some minutes to take effect, and pgpassd keeps retrying\.$/,
  operator: /[^.]\.$/,
  ours: /; otherwise report this with the correlation id\.$/,
};

describe('the claims of the federated token decide what to advise', () => {
  test.each([70021, 70023, 700212])('AADSTS%i for a token of the API server', (code) => {
    const apiServer = ['https://my-cluster.hcp.eastus.azmk8s.io', 'https://my-cluster'];
    const remedy = explainCode(code, { ...identity, audience: apiServer })?.remedy ?? '';
    expect(remedy).toMatch(/token for the API server \(audience https:.*set it to the token that/);
    expect(remedy).not.toMatch(/annotation|federated credential/);
  });

  test.each([
    'https://kubernetes.default.svc.cluster.local',
    'https://kubernetes.default.svc',
    'http://oidc.example/',
    'kubernetes/serviceaccount',
  ])('an issuer that Entra cannot reach: %s', (inside) => {
    for (const code of [70021, 90061, 700211]) {
      const remedy = explainCode(code, { ...identity, issuer: inside })?.remedy;
      expect(remedy).toMatch(/cannot reach the issuer.*--enable-oidc-issuer\), recreate the pod/);
    }
  });

  test.each(['https://kubernetes.defaults.example/', 'https://oidc.prod-aks.azure.com/x/'])(
    'an issuer that Entra can reach: %s',
    (outside) => {
      const remedy = explainCode(700211, { ...identity, issuer: outside })?.remedy;
      expect(remedy).toContain(`Set the issuer of the federated credential to ${outside}`);
    },
  );
});

describe('a documented code', () => {
  test('is one of these, and has one row', () => {
    expect(documentedCodes).toEqual(samples.map(([code]) => code));
  });

  test.each(samples)('AADSTS%i (%s) is %s, and says what to compare', (code, _, nature, names) => {
    const meaning = explainCode(code, identity);
    expect(meaning?.nature).toBe(nature);
    for (const name of names) expect(meaning?.remedy).toContain(name);
    expect(meaning?.remedy).toMatch(endings[nature]);
  });

  test.each(documentedCodes)('AADSTS%i has one sentence that reads well', (code) => {
    const silent = { ...identity, issuer: undefined, subject: undefined, audience: [] };
    for (const known of [identity, silent]) {
      const remedy = explainCode(code, known)?.remedy ?? '';
      expect(remedy).toMatch(/^[A-Z].*[^.]\.$/);
      expect(remedy).not.toMatch(/undefined|null|\[object|\.\.|\. [A-Z]| {2}/);
    }
  });

  test('names only what it was given', () => {
    const guid = fc.uuid();
    const given = fc.record({
      tenantId: guid,
      clientId: guid,
      scope: guid,
      issuer: guid,
      subject: guid,
      audience: fc.array(guid, { minLength: 1, maxLength: 3 }),
    });
    const names = fc.property(fc.constantFrom(...documentedCodes), given, (code, values) => {
      const known = new Set(Object.values(values).flat());
      const remedy = explainCode(code, { ...values, more: 'the-secret' } as typeof values)?.remedy;
      const named = remedy?.match(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g) ?? [];
      expect(remedy).not.toContain('the-secret');
      for (const name of named) expect(known).toContain(name);
    });
    fc.assert(names);
  });

  test.each([
    ['a line break', 'https://the-\nissuer/'],
    ['a terminal sequence', '\u001b[2Jthe-issuer'],
    ['a line separator', 'the-\u2028issuer'],
    ['a change of direction', 'the-\u202eissuer'],
    ['half a character', 'the-\ud800issuer'],
    ['no end', 'x'.repeat(100_000)],
  ])('is one line of bounded length, though the token names an issuer with %s', (_, claim) => {
    const remedy = explainCode(700211, { ...identity, issuer: claim })?.remedy ?? '';
    expect(remedy).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]{50,500}$/u);
  });
});

test.each([0, -1, 9_999_999, Number.NaN, Number.POSITIVE_INFINITY])(
  'the code %s means nothing to us',
  (code) => {
    expect(explainCode(code, identity)).toBeUndefined();
  },
);
