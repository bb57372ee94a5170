import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainLoginFailure } from '../../../src/check/login/failure.ts';
import { SessionError } from '../../../src/check/login/session.ts';
import type { LoginAttempt, Stage } from '../../../src/check/login/target.ts';
import { DeadlinePassed } from '../../../src/support/clock.ts';
import { Secret } from '../../../src/support/secret.ts';
import { unsignedJwt } from '../../support-units/unsigned-jwt.ts';

const OBJECT_ID = 'c41f08d6-972b-4e35-b1da-60583ce9a7f2';
const tokenWith = (claims: object) => new Secret(unsignedJwt(claims));

const attempt: LoginAttempt = {
  target: {
    host: 'db.example',
    hostaddr: undefined,
    port: 5432,
    database: 'app',
    user: 'my-app',
    sslmode: 'verify-full',
    rootCertPath: undefined,
    connectTimeoutMs: undefined,
  },
  stage: 'login',
  address: '10.0.0.4',
  asked: undefined,
  token: tokenWith({
    oid: OBJECT_ID,
    tid: 'my-tenant',
    aud: 'https://other.example',
    idtyp: 'app',
  }),
  timeoutMs: 5000,
};

const coded = (code: string, message = 'some words') => Object.assign(new Error(message), { code });
const said = (code: string, message: string) =>
  Object.assign(new Error(message), { severity: 'FATAL', code });

describe('a login that the server does not answer', () => {
  test.each<[string, Stage, Error, string, string]>([
    [
      'an unknown name',
      'name',
      coded('ENOTFOUND'),
      'server-name',
      'db.example does not resolve to an address (ENOTFOUND)',
    ],
    ['a resolver that fails', 'name', coded('EAI_AGAIN'), 'server-name', '(EAI_AGAIN)'],
    [
      'a resolver that is silent',
      'name',
      new DeadlinePassed(),
      'server-name',
      '(no answer within 5 s)',
    ],
    [
      'a closed port',
      'connection',
      coded('ECONNREFUSED'),
      'server-refuses-connections',
      'db.example:5432 refuses connections at 10.0.0.4',
    ],
    [
      'no route',
      'connection',
      coded('EHOSTUNREACH'),
      'server-no-route',
      'cannot connect to db.example:5432 at 10.0.0.4 (EHOSTUNREACH)',
    ],
    ['no network', 'connection', coded('ENETUNREACH'), 'server-no-route', '(ENETUNREACH)'],
    ['the kernel giving up', 'connection', coded('ETIMEDOUT'), 'server-no-route', '(ETIMEDOUT)'],
    [
      'a firewall that drops',
      'connection',
      new DeadlinePassed(),
      'server-no-route',
      '(no answer within 5 s)',
    ],
    [
      'silence before TLS',
      'tls',
      new DeadlinePassed(),
      'server-silent',
      'did not answer within 5 s',
    ],
    [
      'silence in the login',
      'login',
      new DeadlinePassed(),
      'server-silent',
      'did not answer within 5 s',
    ],
    [
      'a reset before TLS',
      'tls',
      coded('ECONNRESET'),
      'server-cut-off',
      'during the TLS negotiation',
    ],
    ['a reset in the login', 'login', coded('EPIPE'), 'server-cut-off', 'during the login'],
    [
      'no TLS',
      'tls',
      new SessionError('tls-declined'),
      'server-without-tls',
      'does not support TLS',
    ],
    [
      'another protocol',
      'tls',
      new SessionError('not-postgresql'),
      'server-not-postgresql',
      'does not speak',
    ],
    ['another TLS', 'tls', coded('EPROTO'), 'server-tls-failed', '(EPROTO)'],
    ['an old TLS', 'tls', coded('ERR_SSL_UNSUPPORTED_PROTOCOL'), 'server-tls-failed', 'ERR_SSL'],
    [
      'a certificate of yesterday',
      'tls',
      coded('CERT_HAS_EXPIRED'),
      'server-certificate-dates',
      'has expired',
    ],
    [
      'a certificate of tomorrow',
      'tls',
      coded('CERT_NOT_YET_VALID'),
      'server-certificate-dates',
      'is not valid yet',
    ],
    [
      'its own CA',
      'tls',
      coded('SELF_SIGNED_CERT_IN_CHAIN'),
      'server-untrusted',
      'SELF_SIGNED_CERT_IN_CHAIN',
    ],
    [
      'a self-signed certificate',
      'tls',
      coded('DEPTH_ZERO_SELF_SIGNED_CERT'),
      'server-untrusted',
      "the system's trust store",
    ],
    [
      'an unknown CA',
      'tls',
      coded('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
      'server-untrusted',
      'UNABLE_TO_GET',
    ],
    [
      'another name',
      'tls',
      Object.assign(coded('ERR_TLS_CERT_ALTNAME_INVALID'), {
        cert: { subjectaltname: 'DNS:a.example, IP Address:10.0.0.9' },
      }),
      'server-other-name',
      'for other names: a.example, 10.0.0.9',
    ],
    [
      'no name at all',
      'tls',
      Object.assign(coded('ERR_TLS_CERT_ALTNAME_INVALID'), { cert: {} }),
      'server-other-name',
      'for other names: none',
    ],
    ['anything else', 'login', new Error('something new'), 'server-failed', '(something new)'],
  ])('for %s (%s) is reported: %#', (_case, stage, error, cause, found) => {
    expect(explainLoginFailure(error, { ...attempt, stage })).toMatchObject({
      mark: 'wrong',
      cause,
      found: expect.stringContaining(found),
    });
  });

  test.each(['thrown text', undefined, null])(
    'is reported when what was thrown is %j',
    (thrown) => {
      expect(explainLoginFailure(thrown, attempt)).toMatchObject({ cause: 'server-failed' });
    },
  );
});

describe('a login that the server refuses', () => {
  test.each<[string, string, string, RegExp]>([
    [
      '28P01',
      'The access token has expired. Please acquire a new token and retry',
      'token-expired',
      /pgpassd's log/,
    ],
    [
      '28000',
      'The access token has expired. Please acquire a new token and retry',
      'token-expired',
      /clock/,
    ],
    [
      '28P01',
      'The access token has invalid format. Please ensure the token is passed exactly as returned',
      'token-mangled',
      /libpq before 12\.5/,
    ],
    [
      '28P01',
      'The access token does not have a valid audience claim. Please acquire a new token for the resource "https://ossrdbms-aad.database.usgovcloudapi.net"',
      'token-other-audience',
      /--scope to https:\/\/ossrdbms-aad\.database\.usgovcloudapi\.net\/\.default/,
    ],
    [
      '28P01',
      'The access token does not have a valid audience claim.',
      'token-other-audience',
      /database\.windows\.net\/\.default/,
    ],
    [
      '28P01',
      'An error occurred while validating the access token. Please acquire a new token and retry',
      'token-invalid',
      /tenant \(my-tenant\)/,
    ],
    [
      '28P01',
      'Service Principal oid mismatch for role[my-app].',
      'role-other-identity',
      /SECURITY LABEL FOR "pgaadauth" ON ROLE "my-app" IS 'aadauth,oid=c41f/,
    ],
    [
      '28P01',
      'Service Principals cannot generate AAD_AUTH_TOKENTYPE_APP_USER tokens for role[my-app]',
      'role-other-type',
      /type=service';$/,
    ],
    [
      '28P01',
      'Token for role[my-app] is neither an APP_USER or an APP_OBO token',
      'role-other-type',
      /list_principals/,
    ],
    [
      '28P01',
      'The access token for role[my-group] (does not contain group ID 0d5c0d3c-5d5b-4b6d-8d2d-6d4a0c1f6a11)',
      'role-of-group',
      /new token \(SIGHUP/,
    ],
    [
      '28P01',
      'password authentication failed for user "my-app"',
      'role-missing',
      /create_principal_with_oid\('my-app', 'c41f.*', 'service', false, false\);/,
    ],
    ['28000', 'role "my-app" does not exist', 'role-missing', /database postgres/],
    [
      '28000',
      'role "my-app" is not permitted to log in',
      'role-no-login',
      /ALTER ROLE "my-app" LOGIN;$/,
    ],
    [
      '28000',
      'no pg_hba.conf entry for host "10.0.0.4", user "my-app", database "app", no encryption',
      'server-requires-tls',
      /PGSSLMODE=verify-full/,
    ],
    [
      '28000',
      'no pg_hba.conf entry for host "10.0.0.4", user "my-app", database "app", SSL off',
      'server-requires-tls',
      /sslmode=verify-full/,
    ],
    [
      '28000',
      'no pg_hba.conf entry for host "10.0.0.4", user "my-app", database "app", SSL encryption',
      'server-refuses-address',
      /firewall rules/,
    ],
    [
      '28000',
      'no pg_hba.conf entry for host "10.0.0.4", user "my-app", database "app", SSL on',
      'server-refuses-address',
      /private endpoint/,
    ],
    [
      '28000',
      'pg_hba.conf rejects connection for host "10.0.0.4", user "my-app", database "app", SSL encryption',
      'server-refuses-address',
      /hostssl/,
    ],
    ['3D000', 'database "app" does not exist', 'database-missing', /CREATE DATABASE "app";$/],
    [
      '42501',
      'permission denied for database "app"',
      'database-forbidden',
      /GRANT CONNECT ON DATABASE "app" TO "my-app";$/,
    ],
    ['53300', 'sorry, too many clients already', 'server-full', /pg_stat_activity/],
    [
      '53300',
      'remaining connection slots are reserved for azure replication users',
      'server-full',
      /PgBouncer/,
    ],
    ['57P03', 'the database system is starting up', 'server-not-ready', /Wait/],
    ['57P01', 'terminating connection due to administrator command', 'server-not-ready', /Wait/],
    ['08P01', 'client sent partial pkt in startup phase', 'token-too-long', /port 5432/],
    ['XX000', 'something new', 'server-refuses', /log/],
  ])('with SQLSTATE %s and "%s" is reported as %s', (sqlstate, message, cause, remedy) => {
    const finding = explainLoginFailure(said(sqlstate, message), attempt);
    expect(finding).toMatchObject({
      mark: 'wrong',
      cause,
      remedy: expect.stringMatching(remedy),
    });
    expect(JSON.stringify(finding)).not.toMatch(/\{\w+\}|undefined/);
  });

  test('in words that are not understood is quoted, without SQL that changes anything', () => {
    const sqlstates = fc.constantFrom('28P01', '28000', '42501', '08P01', 'XX000', 'P0001');
    const askeds = fc.constantFrom(undefined, 'SCRAM' as const, 'MD5' as const);
    fc.assert(
      fc.property(sqlstates, fc.lorem({ mode: 'sentences' }), askeds, (sqlstate, text, asked) => {
        const { cause, found, remedy } = explainLoginFailure(said(sqlstate, text), {
          ...attempt,
          asked,
        }) as { cause: string; found: string; remedy: string };
        expect(cause).toBe('server-refuses');
        expect(found).toContain(text.slice(0, 100));
        expect(remedy).not.toMatch(/;$|SECURITY LABEL|ALTER|CREATE|GRANT|pgaadauth/m);
      }),
    );
  });

  test('for an unknown role gives no SQL that would take an existing one from its owner', () => {
    const { remedy } = explainLoginFailure(refused, attempt) as { remedy: string };
    expect(remedy).toContain('pgaadauth_create_principal_with_oid');
    expect(remedy).not.toContain('SECURITY LABEL');
  });

  const refused = said('28P01', 'password authentication failed for user "my-app"');

  test.each(['SCRAM', 'MD5'] as const)(
    'after it asked for %s is reported with that method',
    (asked) => {
      expect(explainLoginFailure(refused, { ...attempt, asked })).toMatchObject({
        cause: 'server-asks-password',
        found: expect.stringContaining(`for a password (${asked})`),
      });
    },
  );

  test('with something that is not an Entra token is reported without SQL', () => {
    const finding = explainLoginFailure(refused, { ...attempt, token: new Secret('hunter2') });
    expect(finding).toMatchObject({ cause: 'password-refused' });
    expect(JSON.stringify(finding)).not.toContain('pgaadauth');
  });

  test.each([{ idtyp: 'user' }, { upn: 'me@example.com' }])(
    'with a token of a person (%j) names that type of principal',
    (claims) => {
      const ofUser = { ...attempt, token: tokenWith({ oid: OBJECT_ID, ...claims }) };
      expect(explainLoginFailure(refused, ofUser)).toMatchObject({
        remedy: expect.stringMatching(/, 'user', false, false\);$/),
      });
    },
  );

  test.each([undefined, 7, `'); DROP TABLE users; --`])(
    'puts no object id into SQL that is none: %j',
    (oid) => {
      expect(explainLoginFailure(refused, { ...attempt, token: tokenWith({ oid }) })).toMatchObject(
        {
          remedy: expect.stringContaining(`'<object id>', 'service'`),
        },
      );
    },
  );

  test.each([
    ["o'hara", `'o''hara'`, `"o'hara"`],
    ['a"b', `'a"b'`, `"a""b"`],
    ['a\\b', String.raw`E'a\\b'`, String.raw`"a\b"`],
    ['me@x.com#EXT#', `'me@x.com#EXT#'`, `"me@x.com#EXT#"`],
  ])('quotes a role like %s', (user, literal, identifier) => {
    const target = { ...attempt.target, user };
    expect(explainLoginFailure(refused, { ...attempt, target })).toMatchObject({
      remedy: expect.stringContaining(`with_oid(${literal}, `),
    });
    expect(explainLoginFailure(refused, { ...attempt, target, asked: 'SCRAM' })).toMatchObject({
      remedy: expect.stringContaining(`ON ROLE ${identifier} IS`),
    });
  });

  const piece = attempt.token.unwrap().slice(30, 50);

  test.each([
    ['its text', said('XX000', `no ${piece} here`)],
    ['its SQLSTATE', said(piece, 'no')],
    [
      'the names on its certificate',
      Object.assign(coded('ERR_TLS_CERT_ALTNAME_INVALID'), {
        cert: { subjectaltname: `DNS:${piece}` },
      }),
    ],
    ['the message of an error', new Error(`bad ${piece}`)],
  ])('shows no piece of the token from %s', (_where, error) => {
    const shown = JSON.stringify(
      (['tls', 'login'] as const).map((stage) => explainLoginFailure(error, { ...attempt, stage })),
    );
    expect(shown).toContain('[redacted]');
    expect(shown).not.toContain(piece.slice(0, 16));
  });
});
