import { describe, expect, test } from 'vitest';
import {
  parseFederatedToken,
  type Rotation,
  rotationCallsForRefresh,
} from '../../src/federated-token/federated-token.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const claims = {
  iss: 'https://issuer.example/',
  sub: 'system:serviceaccount:shop:legacy-app',
  aud: ['api://AzureADTokenExchange'],
  exp: Date.parse('2026-11-24T13:00:00Z') / 1000,
};

describe('a rotation of the federated token', () => {
  const federated = (changes: object = {}) =>
    parseFederatedToken(unsignedJwt({ ...claims, ...changes }), '/token');
  const sent = federated({ jti: 'sent' });
  const rotated = federated({ jti: 'rotated' });

  test.each<[string, Partial<Rotation>, boolean]>([
    ['changes nothing while all is well', {}, false],
    ['may end a failure', { failing: true }, true],
    [
      'may end a failure that came before any exchange',
      { failing: true, lastSent: undefined },
      true,
    ],
    ['ends no failure when it is what was sent', { failing: true, federated: sent }, false],
    ['is worth a try when no token is valid', { tokenValid: false }, true],
    ['is none when it is what was sent', { tokenValid: false, federated: sent }, false],
    ['is no news before the first exchange', { lastSent: undefined, tokenValid: false }, false],
    ['to another subject is another identity', { federated: federated({ sub: 'other' }) }, true],
    ['to another issuer is another identity', { federated: federated({ iss: 'other' }) }, true],
    ['to another audience is another identity', { federated: federated({ aud: 'other' }) }, true],
    [
      'to one more audience is another identity',
      { federated: federated({ aud: [...claims.aud, 'other'] }) },
      true,
    ],
    [
      'to the same audience written as one string is the same identity',
      { federated: federated({ aud: claims.aud[0] }) },
      false,
    ],
  ])('%s', (_case, changes, expected) => {
    const rotation = { federated: rotated, lastSent: sent, tokenValid: true, failing: false };
    expect(rotationCallsForRefresh({ ...rotation, ...changes })).toBe(expected);
  });
});
