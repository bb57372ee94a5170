import { type Finding, ok, skipped } from '../../src/check/step.ts';

/** A pod that works. */
export const healthy: readonly Finding[] = [
  ok(
    'settings',
    '1 entry; client 22222222-2222-4222-8222-222222222222 in tenant 11111111-1111-4111-8111-111111111111',
  ),
  ok('federated token', '/var/run/secrets/azure/tokens/azure-identity-token, good for 48 min'),
  ok(
    'federated token',
    'issuer https://oidc.example.com/11111111-1111-4111-8111-111111111111/33333333-3333-4333-8333-333333333333/',
  ),
  ok('clocks', "the authority's agrees within a second"),
  ok('exchange', 'Entra gave a token, valid for 24 h'),
  ok('passfile', '/pgpass/pgpass: mode 0600, owner 1000, 1 line'),
  skipped('daemon', 'not asked: --http-address is off'),
  ok('login', 'my-server.postgres.database.azure.com:5432 lets my-app in over TLS'),
];

/** One with three faults, of which the last two have nothing to do with the first. */
export const broken: readonly Finding[] = [
  ok('clocks', "the authority's agrees within a second"),
  {
    step: 'exchange',
    mark: 'wrong',
    found:
      "Entra refused the exchange (400): AADSTS700213: No matching federated identity record found for presented assertion subject 'system:serviceaccount:shop:api'",
    remedy:
      'Set the subject of the federated credential to system:serviceaccount:shop:api, case included.',
    cause: 'AADSTS700213',
    code: 'entra.refused',
  },
  skipped('access token', 'not examined: there is none'),
  {
    step: 'passfile',
    mark: 'wrong',
    found: '/pgpass/pgpass has mode 0644: libpq ignores it',
    remedy: 'Mount the directory, not a copy of the file.',
    cause: 'loose-mode',
    code: 'passfile.ignored',
  },
  {
    step: 'passfile',
    mark: 'wrong',
    found: '/pgpass/pgpass belongs to user 0',
    remedy: 'Run both containers as the same user.',
    cause: 'other-owner',
    code: 'passfile.ignored',
  },
  ok('overrides', 'nothing else sets a password'),
  {
    step: 'login',
    mark: 'wrong',
    found: 'my-server.postgres.database.azure.com:5432 knows no role my-app for this identity',
    remedy: `In the database postgres, as its Entra administrator, run:

    SELECT * FROM pgaadauth_create_principal_with_oid(
     'my-app', '44444444-4444-4444-8444-444444444444', 'service', false, false);

It is there already? Compare its object id:

    SELECT * FROM pgaadauth_list_principals(false);`,
    cause: 'no-role',
    code: 'server.refused',
  },
];
