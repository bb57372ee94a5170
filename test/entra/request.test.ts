import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tokenEndpointOf, tokenRequest } from '../../src/entra/request.ts';
import { Secret } from '../../src/support/secret.ts';
import { anyCharacter } from '../support/any-character.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const tenantId = '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690';
const correlationId = '7a1f0c7e-9d2b-4f6c-8a53-0e9b1d2c3f40';
const assertion = unsignedJwt({ sub: 'system:serviceaccount:shop:legacy-app' });

const settings = {
  tokenEndpoint: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`,
  tenantId,
  clientId: '2b9d7e14-53af-4c68-8e01-7a6c90f4d2b3',
  scope: 'https://ossrdbms-aad.database.windows.net/.default',
};

const request = tokenRequest(settings, new Secret(assertion), correlationId, 'pgpassd/1.2.3');

describe('the token endpoint', () => {
  test.each([
    ['https://login.microsoftonline.com/', 'https://login.microsoftonline.com/t/oauth2/v2.0/token'],
    ['https://login.microsoftonline.com', 'https://login.microsoftonline.com/t/oauth2/v2.0/token'],
    [
      'https://login.microsoftonline.com//',
      'https://login.microsoftonline.com/t/oauth2/v2.0/token',
    ],
    ['http://127.0.0.1:8080/proxy', 'http://127.0.0.1:8080/proxy/t/oauth2/v2.0/token'],
    ['http://127.0.0.1:8080/proxy/', 'http://127.0.0.1:8080/proxy/t/oauth2/v2.0/token'],
  ])('below %s is %s', (authorityHost, endpoint) => {
    expect(tokenEndpointOf(new URL(authorityHost), 't')).toBe(endpoint);
  });
});

describe('the request', () => {
  test('goes to the token endpoint', () => {
    expect(request.url).toBe(settings.tokenEndpoint);
  });

  test('is the client credentials grant with a client assertion, and nothing else', () => {
    expect([...new URLSearchParams(request.body)].toSorted()).toEqual([
      ['client_assertion', assertion],
      ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
      ['client_id', settings.clientId],
      ['grant_type', 'client_credentials'],
      ['scope', settings.scope],
    ]);
  });

  test('encodes the scope exactly once', () => {
    expect(request.body).toContain(
      'scope=https%3A%2F%2Fossrdbms-aad.database.windows.net%2F.default',
    );
  });

  test('arrives as it was meant, whatever client and scope are', () => {
    const text = fc.string({ unit: anyCharacter });
    fc.assert(
      fc.property(text, text, (clientId, scope) => {
        const { body } = tokenRequest(
          { ...settings, clientId, scope },
          new Secret(assertion),
          correlationId,
          'pgpassd/1.2.3',
        );
        const form = new URLSearchParams(body);
        expect([form.getAll('client_id'), form.getAll('scope')]).toEqual([[clientId], [scope]]);
      }),
    );
  });

  test('says who asks, and by which id Microsoft finds the request', () => {
    expect(request.headers).toEqual({
      accept: 'application/json',
      'accept-encoding': 'identity',
      'content-type': 'application/x-www-form-urlencoded',
      'client-request-id': correlationId,
      'return-client-request-id': 'true',
      'user-agent': 'pgpassd/1.2.3',
    });
  });

  test('has the assertion in its body alone', () => {
    const { body, ...rest } = request;
    expect(body).toContain(assertion);
    expect(JSON.stringify(rest)).not.toContain(assertion.slice(0, 16));
  });
});
