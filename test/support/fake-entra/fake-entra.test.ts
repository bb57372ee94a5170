import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { ask, bodyOf, grant, nowMs, nowSeconds, ossrdbms, refusal, start } from './ask.ts';
import * as faults from './faults.ts';
import { generateSigningKey, signJwt } from './signing-key.ts';

const guid = /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/;

describe('a good answer', () => {
  test('has the fields of Entra and no other', async () => {
    const body = await grant(await start());
    expect(body).toEqual({
      token_type: 'Bearer',
      expires_in: 3599,
      ext_expires_in: 3599,
      access_token: expect.any(String),
    });
  });

  test('forbids caches to keep it', async () => {
    const { status, headers } = await ask(await start());
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store, no-cache');
    expect(headers.get('pragma')).toBe('no-cache');
    expect(headers.get('x-ms-request-id')).toMatch(guid);
    expect(headers.get('x-ms-ests-server')).toContain('ProdSlices');
    expect(headers.getSetCookie()).toHaveLength(3);
  });

  test('holds an access token for the workload and the resource', async () => {
    const entra = await start();
    const { access_token: token } = await grant(entra);
    expect(await entra.verifyAccessToken(token)).toMatchObject({
      aud: ossrdbms,
      iss: `https://sts.windows.net/${entra.tenantId}/`,
      iat: nowSeconds,
      nbf: nowSeconds,
      exp: nowSeconds + 3600,
      appid: entra.clientId,
      oid: entra.objectId,
      sub: entra.objectId,
      tid: entra.tenantId,
      idtyp: 'app',
      ver: '1.0',
    });
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', typ: 'JWT' });
  });

  test('is for the resource that was asked for', async () => {
    const resource = 'https://ossrdbms-aad.database.usgovcloudapi.net';
    const entra = await start({ resources: [ossrdbms, resource] });
    const { access_token: token } = await grant(entra, { resource });
    expect((await entra.verifyAccessToken(token)).aud).toBe(resource);
  });

  test('never holds the same token twice', async () => {
    const entra = await start();
    await grant(entra);
    await grant(entra);
    expect(new Set(entra.issued).size).toBe(2);
  });

  test.each([
    [86_400, 86_399],
    [2, 1],
    [1, 1],
  ])('of a life of %d seconds says it expires in %d', async (lifetimeSeconds, expiresInSeconds) => {
    const entra = await start({ accessTokenLifetimeSeconds: lifetimeSeconds });
    const body = await grant(entra);
    expect(body.expires_in).toBe(expiresInSeconds);
    expect(decodeJwt(body.access_token).exp).toBe(nowSeconds + lifetimeSeconds);
  });

  test('can say when to refresh', async () => {
    const entra = await start({ refreshInSeconds: 1800 });
    expect(await grant(entra)).toMatchObject({ refresh_in: 1800 });
  });

  test('can be dated back without a change to its expiry', async () => {
    const entra = await start({ backdateSeconds: 300 });
    const claims = decodeJwt((await grant(entra)).access_token);
    expect(claims).toMatchObject({
      iat: nowSeconds - 300,
      nbf: nowSeconds - 300,
      exp: nowSeconds + 3600,
    });
  });

  test.each([2000, 8192, 65_536])('can have a token of %d bytes', async (bytes) => {
    const entra = await start({ accessTokenBytes: bytes });
    const { access_token: token } = await grant(entra);
    expect(Math.abs(token.length - bytes)).toBeLessThan(8);
    await entra.verifyAccessToken(token);
  });
});

describe('an access token', () => {
  test('of another signer is foreign', async () => {
    const entra = await start();
    const forged = await signJwt({ aud: ossrdbms }, await generateSigningKey('entra-key-1'));
    await expect(entra.verifyAccessToken(forged)).rejects.toThrow('signature');
    await expect(entra.verifyAccessToken('hunter2')).rejects.toThrow();
  });

  test('of the cluster is foreign', async () => {
    const entra = await start();
    const token = await entra.cluster.issueServiceAccountToken();
    await expect(entra.verifyAccessToken(token)).rejects.toThrow('signature');
  });

  test('verifies after its expiry, which is not the signature’s business', async () => {
    const entra = await start({ now: () => 0 });
    const { access_token: token } = await grant(entra);
    expect((await entra.verifyAccessToken(token)).exp).toBe(3600);
  });
});

describe('the cluster', () => {
  test('issues tokens as kubelet projects them', async () => {
    const entra = await start();
    const token = await entra.cluster.issueServiceAccountToken();
    expect(decodeJwt(token)).toEqual({
      aud: ['api://AzureADTokenExchange'],
      exp: nowSeconds + 3600,
      iat: nowSeconds,
      iss: entra.cluster.issuer,
      jti: expect.stringMatching(guid),
      'kubernetes.io': {
        namespace: 'shop',
        node: expect.any(Object),
        pod: { name: expect.stringMatching(/^legacy-app-/), uid: expect.stringMatching(guid) },
        serviceaccount: { name: 'legacy-app', uid: expect.stringMatching(guid) },
      },
      nbf: nowSeconds,
      sub: 'system:serviceaccount:shop:legacy-app',
    });
  });

  test.each([
    ['another issuer', { issuer: 'https://other.example/' }, 401, 700211],
    ['another subject', { subject: 'system:serviceaccount:shop:other' }, 401, 700213],
    ['another audience', { audience: 'https://kubernetes.default.svc' }, 401, 700212],
    ['a key it does not publish', { kid: 'rotated' }, 401, 7000272],
    ['too long a life', { lifetimeSeconds: 100_000 }, 400, 70023],
    ['a beginning to come', { notBeforeMs: nowMs + 60_000 }, 401, 700024],
    ['an end in the past', { notBeforeMs: nowMs - 3_600_000 }, 401, 700024],
    ['no iat', { claims: { iat: undefined } }, 400, 70023],
  ])('can issue a token with %s, which Entra refuses', async (_case, options, status, code) => {
    const entra = await start();
    const assertion = await entra.cluster.issueServiceAccountToken(options);
    expect(await refusal(entra, { assertion })).toEqual([status, code]);
  });

  test('is taken at its word only if the signature is its own', async () => {
    const entra = await start();
    const genuine = decodeJwt(await entra.cluster.issueServiceAccountToken());
    const assertion = await signJwt(genuine, await generateSigningKey('cluster-key-1'));
    expect(await refusal(entra, { assertion })).toEqual([400, 50027]);
  });

  test.each(['not a JWT', 'a.b.c', 'eyJhbGciOiJSUzI1NiJ9..'])(
    'did not issue %j',
    async (assertion) => {
      expect(await refusal(await start(), { assertion })).toEqual([400, 50027]);
    },
  );
});

describe('an error', () => {
  const correlationId = '3d1f5a90-8c47-4e2b-9b60-7f2ae8d4c513';

  test('has the shape of Entra’s', async () => {
    const entra = await start();
    const assertion = await entra.cluster.issueServiceAccountToken({ subject: 'someone' });
    const response = await ask(entra, {
      assertion,
      headers: { 'client-request-id': correlationId },
    });
    const body = await bodyOf(response);
    expect(body).toEqual({
      error: 'invalid_client',
      error_description: expect.stringMatching(
        /^AADSTS700213: No matching federated identity record found for presented assertion subject 'someone'\./,
      ),
      error_codes: [700213],
      timestamp: '2026-11-24 12:00:00Z',
      trace_id: response.headers.get('x-ms-request-id'),
      correlation_id: correlationId,
      error_uri: 'https://login.microsoftonline.com/error?code=700213',
    });
    expect(body.error_description).toMatch(
      new RegExp(
        ` Trace ID: ${body.trace_id} Correlation ID: ${correlationId} Timestamp: 2026-11-24 12:00:00Z$`,
      ),
    );
  });

  test('has a correlation id of Entra’s own if the client sends none', async () => {
    const entra = await start({ federatedCredentials: [] });
    expect((await grant(entra)).correlation_id).toMatch(guid);
  });

  test('has no look-up page for a client without a federated credential', async () => {
    const entra = await start({ federatedCredentials: [] });
    const body = await grant(entra);
    expect(body.error_codes).toEqual([70025]);
    expect(body).not.toHaveProperty('error_uri');
  });

  test('echoes the client’s request id in a header only when asked to', async () => {
    const entra = await start();
    const unasked = await ask(entra, { headers: { 'client-request-id': correlationId } });
    const asked = await ask(entra, {
      headers: { 'client-request-id': correlationId, 'return-client-request-id': 'true' },
    });
    expect(unasked.headers.get('client-request-id')).toBeNull();
    expect(asked.headers.get('client-request-id')).toBe(correlationId);
  });
});

describe('the route', () => {
  test('is not found elsewhere, and a fault waits for a request that finds it', async () => {
    const entra = await start();
    entra.faults.next(faults.tooManyRequests());
    const paths = [
      `${entra.tenantId}/oauth2/token`,
      `/${entra.tenantId}//oauth2/v2.0/token`,
      'token',
    ];
    for (const path of paths) expect((await ask(entra, { path })).status, path).toBe(404);
    expect((await ask(entra)).status).toBe(429);
  });

  test('takes a query', async () => {
    const entra = await start();
    const path = `${entra.tenantId}/oauth2/v2.0/token?client-request-id=1`;
    expect((await ask(entra, { path })).status).toBe(200);
  });

  test('takes only POST', async () => {
    const entra = await start();
    const response = await fetch(
      new URL(`${entra.tenantId}/oauth2/v2.0/token`, entra.authorityHost),
    );
    expect((await bodyOf(response)).error_codes).toEqual([900561]);
  });

  test('can live below a base path, and then only there', async () => {
    const entra = await start({ basePath: '/proxy' });
    expect(entra.authorityHost).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/proxy\/$/);
    expect((await ask(entra)).status).toBe(200);
    expect((await ask(entra, { path: `/${entra.tenantId}/oauth2/v2.0/token` })).status).toBe(404);
  });
});
