import { describe, expect, test } from 'vitest';
import { type LoginTarget, loginTarget, mayShowToken } from '../../../src/check/login/target.ts';
import type { Environment } from '../../../src/config/option.ts';
import { ANY, type Entry } from '../../../src/passfile/format.ts';

const host = 'my-server.postgres.database.azure.com';
const whole: Entry = { host, port: '6432', database: 'app', user: 'legacy-app' };

function targetOf(entry: Partial<Entry>, env: Environment = {}): LoginTarget {
  const target = loginTarget({ ...whole, ...entry }, env);
  if (!('sslmode' in target)) throw new Error(JSON.stringify(target));
  return target;
}

describe('an entry is tried', () => {
  test('as it stands, verifying the server with the roots of the system', () => {
    expect(targetOf({})).toEqual({
      host,
      hostaddr: undefined,
      port: 6432,
      database: 'app',
      user: 'legacy-app',
      sslmode: 'verify-full',
      rootCertPath: undefined,
      connectTimeoutMs: undefined,
    });
  });

  test.each<[string, Partial<Entry>, Environment, Partial<LoginTarget>]>([
    ['any port is PGPORT', { port: ANY }, { PGPORT: '5433' }, { port: 5433 }],
    ['any port is 5432 without it', { port: ANY }, { PGPORT: '' }, { port: 5432 }],
    ['a port is no other', {}, { PGPORT: '5433' }, { port: 6432 }],
    ['any database is PGDATABASE', { database: ANY }, { PGDATABASE: 'b' }, { database: 'b' }],
    ['any database is postgres without it', { database: ANY }, {}, { database: 'postgres' }],
    ['a database is no other', {}, { PGDATABASE: 'b' }, { database: 'app' }],
    ['PGHOSTADDR is where', {}, { PGHOSTADDR: '10.0.0.4' }, { hostaddr: '10.0.0.4', host }],
    ['PGHOSTADDR may be of IPv6', {}, { PGHOSTADDR: 'fe80::1%eth0' }, { hostaddr: 'fe80::1%eth0' }],
    [
      'PGHOSTADDR has an address for each name',
      {},
      { PGHOST: `db,${host}`, PGHOSTADDR: '10.0.0.4,10.0.0.5' },
      { hostaddr: '10.0.0.5' },
    ],
    [
      'PGHOSTADDR has addresses for other names',
      {},
      { PGHOST: 'db,replica', PGHOSTADDR: '10.0.0.4,10.0.0.5' },
      { hostaddr: undefined },
    ],
    ['PGSSLROOTCERT is whom to trust', {}, { PGSSLROOTCERT: '/ca' }, { rootCertPath: '/ca' }],
    [
      'to verify without PGSSLROOTCERT takes a file, as for libpq',
      {},
      { PGSSLMODE: 'verify-ca', HOME: '/home/app' },
      { rootCertPath: '/home/app/.postgresql/root.crt' },
    ],
    [
      'there is no home, that file is not used',
      {},
      { PGSSLMODE: 'verify-full' },
      { rootCertPath: undefined },
    ],
    ['PGSSLMODE is how', {}, { PGSSLMODE: 'require' }, { sslmode: 'require' }],
    ['PGSSLMODE may be empty', {}, { PGSSLMODE: '' }, { sslmode: 'verify-full' }],
    [
      'PGCONNECT_TIMEOUT is for how long',
      {},
      { PGCONNECT_TIMEOUT: '10' },
      { connectTimeoutMs: 10_000 },
    ],
    ['1 s is 2 s, as for libpq', {}, { PGCONNECT_TIMEOUT: '1' }, { connectTimeoutMs: 2000 }],
    [
      '0 s is for ever, as for libpq',
      {},
      { PGCONNECT_TIMEOUT: '0' },
      { connectTimeoutMs: undefined },
    ],
    [
      'every variable has a value that it takes',
      {},
      {
        PGCHANNELBINDING: 'prefer',
        PGCONNECT_TIMEOUT: ' +5 ',
        PGGSSENCMODE: 'disable',
        PGSSLMAXPROTOCOLVERSION: 'TLSv1.3',
        PGSSLMINPROTOCOLVERSION: 'tlsv1.2',
        PGTARGETSESSIONATTRS: 'primary',
      },
      { sslmode: 'verify-full', connectTimeoutMs: 5000 },
    ],
    ['nothing leaves the machine', { host: 'localhost' }, {}, { sslmode: 'prefer' }],
    ['nothing leaves it for a socket', { host: '/var/run' }, {}, { sslmode: 'prefer' }],
    [
      'a name of the loopback leads elsewhere',
      { host: 'localhost' },
      { PGHOSTADDR: '10.0.0.4' },
      { sslmode: 'verify-full' },
    ],
    ['a name leads to the loopback', {}, { PGHOSTADDR: '127.0.0.1' }, { sslmode: 'verify-full' }],
    [
      'CAs are named on the loopback',
      { host: '::1' },
      { PGSSLROOTCERT: '/ca' },
      { sslmode: 'verify-full' },
    ],
  ])('where %s', (_case, entry, env, expected) => {
    expect(targetOf(entry, env)).toMatchObject(expected);
  });
});

test.each<[string, Partial<Entry>, Environment, RegExp]>([
  ['is for any host', { host: ANY }, {}, /any host/],
  ['is for any user', { user: ANY }, {}, /my-server\.postgres.* any user/],
  ['is for replication', { database: 'replication' }, {}, /replication/],
  ['has no port', { port: 'x' }, {}, /the port .* is invalid: x/],
  ['has a port that is none', { port: '65536' }, {}, /invalid: 65536/],
  ['has the port of a list', { port: ANY }, { PGPORT: '1,2' }, /invalid: 1,2/],
])('an entry that %s is not tried, and it says why', (_case, entry, env, why) => {
  const target = loginTarget({ ...whole, ...entry }, env);
  expect(target).toEqual({ untried: expect.stringMatching(why) });
});

test.each<[Environment, RegExp]>([
  [{ PGPORT: 'x' }, /^PGPORT=x is not a port$/],
  [{ PGHOSTADDR: 'name' }, /^PGHOSTADDR=name is not an address$/],
  [{ PGSSLMODE: 'verify_full' }, /^PGSSLMODE=verify_full is not an sslmode$/],
  [{ PGCONNECT_TIMEOUT: '10s' }, /^PGCONNECT_TIMEOUT=10s is none of the values that it takes$/],
  [{ PGTARGETSESSIONATTRS: 'replica' }, /^PGTARGETSESSIONATTRS=replica is none/],
  [{ PGSSLMINPROTOCOLVERSION: 'TLS1.2' }, /^PGSSLMINPROTOCOLVERSION=TLS1\.2 is none/],
  [{ PGCHANNELBINDING: 'yes' }, /^PGCHANNELBINDING=yes is none/],
  [{ PGGSSENCMODE: 'yes' }, /^PGGSSENCMODE=yes is none/],
  [{ PGGSSENCMODE: 'require' }, /^PGGSSENCMODE=require demands encryption by Kerberos/],
  [
    { PGSSLMODE: 'require', PGSSLROOTCERT: 'system' },
    /requires PGSSLMODE=verify-full, not require$/,
  ],
])('%j keeps libpq from connecting at all', (env, why) => {
  const target = loginTarget({ ...whole, port: ANY }, env);
  expect(target).toEqual({ refused: expect.stringMatching(why) });
});

test.each<[string, string | undefined, string, boolean]>([
  [host, undefined, 'disable', true],
  [host, undefined, 'allow', true],
  [host, undefined, 'prefer', true],
  [host, undefined, 'require', false],
  [host, undefined, 'verify-ca', false],
  [host, undefined, 'verify-full', false],
  [host, '127.0.0.1', 'disable', true],
  ['127.0.0.1', undefined, 'disable', false],
  ['127.8.0.1', '::1', 'prefer', false],
  ['/var/run/postgresql', undefined, 'disable', false],
  ['localhost', '10.0.0.4', 'disable', true],
  ['localhost.example', undefined, 'disable', true],
  ['127.0.0.1.example', undefined, 'prefer', true],
])(
  'a token to %s (PGHOSTADDR %s) with sslmode %s could be read on the way: %s',
  (name, hostaddr, sslmode, readable) => {
    const env = { PGSSLMODE: sslmode, PGHOSTADDR: hostaddr };
    expect(mayShowToken(targetOf({ host: name }, env))).toBe(readable);
  },
);
