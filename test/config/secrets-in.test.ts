import { describe, expect, test } from 'vitest';
import { secretsIn } from '../../src/config/secrets-in.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const jwt = unsignedJwt({ sub: 'somebody' });
const password = 'correct.horse~battery.staple';
const clientSecret = 'p7K8Q~rT0vXn3mB5cZ1yLdW9eHsJuAqGfRiOkPxN';
const opaque = 'x7Gq2Lw9Zt4Rk1Vb8Nc3';

const found = (words: readonly string[], env: Record<string, string> = {}) =>
  secretsIn(words, env).map((secret) => secret.unwrap());

describe('a secret is found', () => {
  test.each<[string, string, string]>([
    ['a JWT', `Bearer ${jwt}`, jwt],
    ['a password in a URL', `https://app:${password}@proxy:3128/`, password],
    [
      'a password with escapes in a URL',
      'postgresql://app:a%20password%20of%20some%20length@db',
      'a password of some length',
    ],
    ['a password in pairs', `host=db password='${password}'`, password],
    ['a password in a line of a passfile', `db:5432:*:app:${password}`, password],
    [
      'an escaped password in such a line',
      String.raw`db:5432:*:app:with\:colons\:and\\more`,
      String.raw`with:colons:and\more`,
    ],
    ['a client secret', `client_secret=${clientSecret}`, clientSecret],
    [
      'a private key',
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYD\nK2VwBCIEIB0r\n-----END PRIVATE KEY-----',
      'MC4CAQAwBQYDK2VwBCIEIB0r',
    ],
  ])('%s, in any word and in any variable', (_case, text, secret) => {
    expect(found([text])).toContain(secret);
    expect(found([`--scope=${text}`])).toContain(secret);
    expect(found([], { ANY_NAME: text })).toContain(secret);
  });

  test('in a variable that holds nothing else', () => {
    expect(found([], { PGPASSWORD: 'a-long-password-of-mine' })).toEqual([
      'a-long-password-of-mine',
    ]);
    expect(found([], { AZURE_CLIENT_SECRET: clientSecret })).toEqual([clientSecret]);
  });

  test.each(['PGPASSWORD', 'AZURE_CLIENT_SECRET', 'AZURE_CLIENT_CERTIFICATE_PASSWORD'])(
    'in %s, whatever it is made of, from 8 characters on',
    (name) => {
      for (const value of [
        'hunter22',
        'correct horse battery staple',
        'a/b c/d e',
        '/run/secret',
      ]) {
        expect(found([], { [name]: value })).toEqual([value]);
      }
      expect(found([], { [name]: 'hunter22\n' })).toContain('hunter22');
      expect(found([], { [name]: 'hunter2' })).toEqual([]);
    },
  );

  test('as a word that no one chose, alone or in a setting', () => {
    expect(found([opaque])).toEqual([opaque]);
    expect(found([`db:5432:shop:${opaque}`])).toContain(opaque);
    expect(found([], { PGUSER: opaque })).toEqual([opaque]);
  });
});

test('no setting of a usual pod is taken for a secret', () => {
  const env = {
    AZURE_CLIENT_ID: '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690',
    AZURE_TENANT_ID: '8F3C1A52-6D0E-4B7A-9C25-41E07FD3B690',
    AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
    AZURE_FEDERATED_TOKEN_FILE: '/var/run/secrets/azure/tokens/azure-identity-token',
    PGHOST: 'my-server.postgres.database.azure.com',
    PGUSER: 'My-App-Managed-Identity',
    PGDATABASE: 'OrdersProduction2024',
    PGPASSFILE: '/var/run/pgpassd/pgpass',
    PGPASSD_ENTRIES: 'my-server.postgres.database.azure.com:5432:*:legacy-application',
    PGPASSD_SCOPE: 'https://ossrdbms-aad.database.windows.net/.default',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LS_COLORS: 'rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:do=01;35:bd=40;33;01',
    KUBERNETES_PORT: 'tcp://10.0.0.1:443',
    HTTPS_PROXY: 'http://proxy.example.com:3128',
  };
  const words = ['once', '--timeout', '60s', '--entry', 'db.example.com:5432:*:legacy-application'];
  expect(found(words, env)).toEqual([]);
});

test('what is short, or the name of the server, is none: it stands in other words, too', () => {
  expect(found(['postgresql://app:postgres@db/'], { PGPASSWORD: 'postgres' })).toEqual([]);
  expect(found([], { PGPASSWORD: 'token', OTHER_PASSWORD: 'hunter22' })).toEqual([]);
});
