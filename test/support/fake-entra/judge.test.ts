import { describe, expect, test } from 'vitest';
import { type Directory, defaultIdentity, defaultResource } from './directory.ts';
import type { Assertion } from './federated-token.ts';
import { readForm } from './form.ts';
import { judge, type TokenRequest } from './judge.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const nowSeconds = nowMs / 1000;

const directory: Directory = {
  ...defaultIdentity,
  federatedCredentials: [defaultIdentity],
  resources: [defaultResource],
};

const stale = { iat: nowSeconds - 60, nbf: nowSeconds - 60, exp: nowSeconds - 1 };
const inTime = { iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + 3600 };

const goodClaims = {
  iss: defaultIdentity.issuer,
  sub: defaultIdentity.subject,
  aud: [defaultIdentity.audience],
  ...inTime,
};

const goodFields = {
  client_id: defaultIdentity.clientId,
  scope: `${defaultResource}/.default`,
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: 'header.payload.signature',
  grant_type: 'client_credentials',
};

const formType = 'application/x-www-form-urlencoded';

function withFields(fields: Record<string, string | undefined>): Partial<TokenRequest> {
  const present = Object.entries({ ...goodFields, ...fields }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return withBody(new URLSearchParams(present).toString());
}

const withBody = (body: string, contentType = formType): Partial<TokenRequest> => ({
  form: readForm(contentType, body),
});

const withAssertion = (assertion: Partial<Assertion>): Partial<TokenRequest> => ({
  assertion: {
    readable: true,
    keyId: 'k1',
    signature: 'valid',
    claims: goodClaims,
    ...assertion,
  } as Assertion,
});

const withClaims = (claims: Record<string, unknown>): Partial<TokenRequest> =>
  withAssertion({ claims: { ...goodClaims, ...claims } });

const judged = (change: Partial<TokenRequest>, registered: Directory = directory) =>
  judge(
    {
      method: 'POST',
      tenant: defaultIdentity.tenantId,
      ...(withFields({}) as Pick<TokenRequest, 'form'>),
      ...(withAssertion({}) as Pick<TokenRequest, 'assertion'>),
      ...change,
    },
    registered,
    nowMs,
  );

test.each<[string, Partial<TokenRequest>]>([
  ['a proper request', {}],
  ['a tenant in capitals', { tenant: defaultIdentity.tenantId.toUpperCase() }],
  ['parameters it does not know', withFields({ client_info: '1', 'x-client-SKU': 'libpq' })],
  [
    'a content type with a charset',
    withBody(new URLSearchParams(goodFields).toString(), `${formType};charset=utf-8`),
  ],
  ['a federated token of exactly 25 hours', withClaims({ exp: nowSeconds + 90_000 })],
  [
    'a federated token in its last second',
    withClaims({ iat: nowSeconds - 9, exp: nowSeconds + 1 }),
  ],
  ['several audiences of which one fits', withClaims({ aud: ['other', defaultIdentity.audience] })],
  ['an audience that is no list', withClaims({ aud: defaultIdentity.audience })],
])('grants %s', (_case, change) => {
  expect(judged(change)).toEqual({ granted: true, resource: defaultResource });
});

const encoded = new URLSearchParams(goodFields).toString();
const doubleEncoded = withFields({ scope: encodeURIComponent(goodFields.scope) });

test.each<[string, Partial<TokenRequest>, number, string, number]>([
  ['a GET', { method: 'GET' }, 400, 'invalid_request', 900561],
  [
    'the empty GUID',
    { tenant: '00000000-0000-0000-0000-000000000000' },
    400,
    'invalid_request',
    900021,
  ],
  ['a tenant that is neither', { tenant: '$(TENANT)' }, 400, 'invalid_request', 900023],
  ['a foreign tenant', { tenant: 'contoso.onmicrosoft.com' }, 400, 'invalid_tenant', 90002],
  ['another content type', withBody(encoded, 'application/json'), 400, 'invalid_request', 900144],
  ['an empty body', withBody(''), 400, 'invalid_request', 900144],
  ['no client_id', withFields({ client_id: undefined }), 400, 'invalid_request', 900144],
  ['an empty scope', withFields({ scope: '' }), 400, 'invalid_request', 900144],
  ['no grant_type', withFields({ grant_type: undefined }), 400, 'invalid_request', 900144],
  [
    'no assertion type',
    withFields({ client_assertion_type: undefined }),
    400,
    'invalid_request',
    900144,
  ],
  [
    'another assertion type',
    withFields({ client_assertion_type: 'saml' }),
    400,
    'invalid_request',
    9002313,
  ],
  ['an unencoded body', withBody(decodeURIComponent(encoded)), 400, 'invalid_request', 9002313],
  ['a broken escape', withBody(`${encoded}&state=%E`), 400, 'invalid_request', 9002313],
  ['a parameter twice', withBody(`${encoded}&scope=x`), 400, 'invalid_request', 9000411],
  ['no credential', withFields({ client_assertion: undefined }), 401, 'invalid_client', 7000218],
  ['an empty assertion', withFields({ client_assertion: '' }), 401, 'invalid_client', 7000218],
  [
    'a client secret',
    withFields({ client_assertion: undefined, client_secret: 's' }),
    401,
    'invalid_client',
    7000215,
  ],
  ['another grant', withFields({ grant_type: 'password' }), 400, 'unsupported_grant_type', 70003],
  [
    'a scope without /.default',
    withFields({ scope: defaultResource }),
    400,
    'invalid_scope',
    1002012,
  ],
  ['a scope encoded twice', doubleEncoded, 400, 'invalid_scope', 1002012],
  [
    'two resources',
    withFields({ scope: `${goodFields.scope} https://graph.microsoft.com/.default` }),
    400,
    'invalid_scope',
    28000,
  ],
  [
    'an unknown resource',
    withFields({ scope: 'https://graph.microsoft.com/.default' }),
    400,
    'invalid_resource',
    500011,
  ],
  [
    'an unknown client',
    withFields({ client_id: defaultIdentity.objectId }),
    400,
    'unauthorized_client',
    700016,
  ],
  ['no JWT', { assertion: { readable: false } }, 400, 'invalid_request', 50027],
  ['a federated token without iat', withClaims({ iat: undefined }), 400, 'invalid_request', 70023],
  ['a federated token without exp', withClaims({ exp: undefined }), 400, 'invalid_request', 70023],
  ['a life over 25 hours', withClaims({ exp: nowSeconds + 90_001 }), 400, 'invalid_request', 70023],
  ['an unknown key', withAssertion({ signature: 'unknown-key' }), 401, 'invalid_client', 7000272],
  [
    'no key id',
    withAssertion({ keyId: undefined, signature: 'unknown-key' }),
    400,
    'invalid_request',
    5002723,
  ],
  ['a forged signature', withAssertion({ signature: 'wrong' }), 400, 'invalid_request', 50027],
  [
    'a federated token not valid yet',
    withClaims({ nbf: nowSeconds + 1 }),
    401,
    'invalid_client',
    700024,
  ],
  [
    'an expired federated token',
    withClaims({ iat: nowSeconds - 3600, nbf: nowSeconds - 3600, exp: nowSeconds }),
    401,
    'invalid_client',
    700024,
  ],
  [
    'an issuer without its slash',
    withClaims({ iss: defaultIdentity.issuer.slice(0, -1) }),
    401,
    'invalid_client',
    700211,
  ],
  [
    'another subject',
    withClaims({ sub: 'system:serviceaccount:shop:other' }),
    401,
    'invalid_client',
    700213,
  ],
  [
    'a subject in another case',
    withClaims({ sub: defaultIdentity.subject.toUpperCase() }),
    401,
    'invalid_client',
    700213,
  ],
  [
    'another audience',
    withClaims({ aud: ['api://AKSIdentityBinding'] }),
    401,
    'invalid_client',
    700212,
  ],
])('refuses %s', (_case, change, status, error, code) => {
  expect(judged(change)).toMatchObject({ granted: false, refusal: { status, error, code } });
});

test('refuses a client without a federated credential', () => {
  expect(judged({}, { ...directory, federatedCredentials: [] })).toMatchObject({
    refusal: { status: 401, error: 'invalid_client', code: 70025 },
  });
});

describe('with several federated credentials', () => {
  const other = { issuer: 'https://other/', subject: 'system:serviceaccount:a:b', audience: 'x' };
  const registered = { ...directory, federatedCredentials: [other, defaultIdentity] };

  test('one of them is enough', () => {
    expect(judged({}, registered).granted).toBe(true);
  });

  test('the parts of two do not make one', () => {
    expect(judged(withClaims({ sub: other.subject }), registered)).toMatchObject({
      refusal: { code: 700213 },
    });
  });
});

test('finds fault in the order of Entra', () => {
  const repairs: [number, (request: Partial<TokenRequest>) => Partial<TokenRequest>][] = [
    [900561, (request) => ({ ...request, method: 'POST' })],
    [90002, (request) => ({ ...request, tenant: defaultIdentity.tenantId })],
    [900144, (request) => ({ ...request, ...withBody('grant_type=x&scope=y&client_id=z') })],
    [
      7000218,
      (request) => ({ ...request, ...withFields({ grant_type: 'x', scope: 'y', client_id: 'z' }) }),
    ],
    [70003, (request) => ({ ...request, ...withFields({ scope: 'y', client_id: 'z' }) })],
    [
      1002012,
      (request) => ({ ...request, ...withFields({ scope: 'y/.default', client_id: 'z' }) }),
    ],
    [500011, (request) => ({ ...request, ...withFields({ client_id: 'z' }) })],
    [700016, (request) => ({ ...request, ...withFields({}) })],
    [
      50027,
      (request) => ({ ...request, ...withAssertion({ signature: 'unknown-key', claims: {} }) }),
    ],
    [
      70023,
      (request) => ({ ...request, ...withAssertion({ signature: 'unknown-key', claims: stale }) }),
    ],
    [7000272, (request) => ({ ...request, ...withAssertion({ claims: stale }) })],
    [700024, (request) => ({ ...request, ...withAssertion({ claims: inTime }) })],
    [
      700211,
      (request) => ({
        ...request,
        ...withAssertion({ claims: { ...inTime, iss: goodClaims.iss } }),
      }),
    ],
    [700213, (request) => ({ ...request, ...withClaims({ aud: 'other' }) })],
    [700212, (request) => ({ ...request, ...withClaims({}) })],
  ];
  let request: Partial<TokenRequest> = {
    method: 'GET',
    tenant: 'contoso.com',
    ...withBody(''),
    assertion: { readable: false },
  };
  for (const [code, repair] of repairs) {
    expect(judged(request)).toMatchObject({ refusal: { code } });
    request = repair(request);
  }
  expect(judged(request).granted).toBe(true);
});

test('says what was presented and when', () => {
  expect(judged(withClaims(stale))).toMatchObject({
    refusal: {
      text: expect.stringContaining(
        'Current time: 2026-11-24T12:00:00.0000000Z,' +
          ' assertion valid from 2026-11-24T11:59:00.0000000Z,' +
          ' expiry time of assertion 2026-11-24T11:59:59.0000000Z.',
      ),
    },
  });
});
