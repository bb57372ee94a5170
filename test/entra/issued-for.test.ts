import { expect, test } from 'vitest';
import { objectionsTo } from '../../src/entra/request.ts';

const clientId = '0f5e3b1a-8c2d-4e7f-9a6b-1c2d3e4f5a6b';
const tenantId = '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690';
const settings = {
  tokenEndpoint: '',
  tenantId,
  clientId,
  scope: 'https://ossrdbms-aad.database.windows.net/.default',
};
const aud = 'https://ossrdbms-aad.database.windows.net';
const other = '11111111-2222-3333-4444-555555555555';

test.each<[string, Record<string, unknown>]>([
  ['says all of it', { aud, tid: tenantId, appid: clientId }],
  ['writes its ids in capitals', { tid: tenantId.toUpperCase(), appid: clientId.toUpperCase() }],
  ['is of version 2', { aud: other, azp: clientId, tid: tenantId }],
  ['ends its audience in a slash', { aud: `${aud}/` }],
  ['says nothing', {}],
])('a token that %s is one of ours', (_case, claims) => {
  expect(objectionsTo(claims, settings)).toEqual([]);
});

test.each<[string, Record<string, unknown>]>([
  ['another client', { aud, tid: tenantId, appid: other }],
  ['another client, in version 2', { azp: other }],
  ['another tenant', { aud, tid: other, appid: clientId }],
  ['another resource', { aud: 'https://graph.microsoft.com' }],
  ['the exchange, being a service-account token', { aud: ['api://AzureADTokenExchange'] }],
])('a token for %s is not', (_case, claims) => {
  expect(objectionsTo(claims, settings)).not.toEqual([]);
});

test("a tenant given by its domain cannot be compared with the token's id", () => {
  const byDomain = { ...settings, tenantId: 'example.onmicrosoft.com' };
  expect(objectionsTo({ tid: other }, byDomain)).toEqual([]);
});

test('what --token-param replaces is what was asked for', () => {
  const extraFields = [
    ['client_id', other],
    ['resource', 'https://vault.azure.net'],
  ] as const;
  const claims = { aud: 'https://vault.azure.net', appid: other };
  expect(objectionsTo(claims, { ...settings, extraFields })).toEqual([]);
  expect(objectionsTo({ aud, appid: clientId }, { ...settings, extraFields })).toHaveLength(2);
});

test('a whole token endpoint names the tenant', () => {
  const tokenEndpoint = `https://login.microsoftonline.com/${other}/oauth2/v2.0/token`;
  expect(objectionsTo({ tid: other }, { ...settings, tokenEndpoint })).toEqual([]);
  expect(objectionsTo({ tid: tenantId }, { ...settings, tokenEndpoint })).toHaveLength(1);
});

test('one of several audiences is enough', () => {
  expect(objectionsTo({ aud: ['https://graph.microsoft.com', aud] }, settings)).toEqual([]);
});
