import { describe, expect, test } from 'vitest';
import {
  assertUnexpired,
  type FederatedIdentity,
  parseFederatedToken,
  sameIdentity,
} from '../../src/federated-token/federated-token.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const claims = {
  iss: 'https://issuer.example/',
  sub: 'system:serviceaccount:shop:legacy-app',
  aud: ['api://AzureADTokenExchange'],
  exp: nowMs / 1000 + 3600,
};
const jwt = unsignedJwt(claims);

describe('a token file', () => {
  test('gives the assertion, its identity and its expiry', () => {
    const { assertion, ...rest } = parseFederatedToken(jwt, '/token');
    expect(assertion.unwrap()).toBe(jwt);
    expect(rest).toEqual({
      identity: { issuer: claims.iss, subject: claims.sub, audience: claims.aud },
      expiresAtMs: nowMs + 3_600_000,
    });
  });

  test.each([
    ['a line end', `${jwt}\n`],
    ['a line end as on Windows', `${jwt}\r\n`],
    ['blank lines around', `\n\n  ${jwt}\t\n`],
  ])('may have %s', (_case, content) => {
    expect(parseFederatedToken(content, '/token').assertion.unwrap()).toBe(jwt);
  });

  test.each<[string, object, object]>([
    ['one audience as text', { aud: 'api://one' }, { audience: ['api://one'] }],
    ['an audience that is no text', { aud: ['api://one', 7] }, { audience: ['api://one'] }],
    ['no audience', { aud: undefined }, { audience: [] }],
    ['no issuer', { iss: undefined }, { issuer: undefined }],
    ['a subject that is no text', { sub: 7 }, { subject: undefined }],
  ])('may hold a token with %s', (_case, changes, identity) => {
    const token = parseFederatedToken(unsignedJwt({ ...claims, ...changes }), '/token');
    expect(token.identity).toMatchObject(identity);
  });

  test('may hold a token that does not tell its expiry', () => {
    const token = parseFederatedToken(unsignedJwt({ ...claims, exp: undefined }), '/token');
    expect(token).not.toHaveProperty('expiresAtMs');
  });

  test.each([
    ['nothing', '', 'federated-token.empty'],
    ['blanks', ' \n', 'federated-token.empty'],
    ['a password', 'hunter2', 'federated-token.malformed'],
    ['half a token', jwt.slice(0, jwt.lastIndexOf('.')), 'federated-token.malformed'],
    ['two tokens', `${jwt}\n${jwt}`, 'federated-token.malformed'],
    ['JSON', `{"access_token":"${jwt}"}`, 'federated-token.malformed'],
  ])('is refused when it holds %s', (_case, content, code) => {
    const parsing = () => parseFederatedToken(content, '/var/run/token');
    expect(parsing).toThrow(expect.objectContaining({ code }));
    expect(parsing).toThrow('/var/run/token');
    expect(parsing).not.toThrow(/hunter2|eyJ/);
  });
});

describe('an assertion', () => {
  const until = (exp: unknown) => parseFederatedToken(unsignedJwt({ ...claims, exp }), '/token');

  test.each([
    ['expired a second ago', nowMs / 1000 - 1],
    ['expires this moment', nowMs / 1000],
  ])('that %s is not sent', (_case, exp) => {
    const checking = () => assertUnexpired(until(exp), nowMs);
    expect(checking).toThrow(expect.objectContaining({ code: 'federated-token.expired' }));
    expect(checking).toThrow(new Date(exp * 1000).toISOString());
  });

  test.each<[string, unknown]>([
    ['expires in a second', nowMs / 1000 + 1],
    ['does not tell its expiry', undefined],
    ['tells its expiry in words', 'tomorrow'],
  ])('that %s is sent', (_case, exp) => {
    expect(() => assertUnexpired(until(exp), nowMs)).not.toThrow();
  });
});

describe('an identity', () => {
  const identity: FederatedIdentity = { issuer: 'i', subject: 's', audience: ['a', 'b'] };

  test('is the same in two tokens that differ in life alone', () => {
    const one = parseFederatedToken(unsignedJwt({ ...claims, jti: '1' }), '/token');
    const other = parseFederatedToken(unsignedJwt({ ...claims, jti: '2', exp: 1 }), '/token');
    expect(sameIdentity(one.identity, other.identity)).toBe(true);
  });

  test.each<[string, Partial<FederatedIdentity>]>([
    ['issuer', { issuer: 'I' }],
    ['issuer, which is absent', { issuer: undefined }],
    ['subject', { subject: 'S' }],
    ['audience', { audience: ['a', 'c'] }],
    ['audience, in order', { audience: ['b', 'a'] }],
    ['audience, one fewer', { audience: ['a'] }],
    ['audience, one more', { audience: ['a', 'b', 'c'] }],
  ])('is another with another %s', (_case, changes) => {
    const other = { ...identity, ...changes };
    expect(sameIdentity(identity, other)).toBe(false);
    expect(sameIdentity(other, identity)).toBe(false);
  });
});
