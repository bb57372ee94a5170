import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/given.ts';
import { everyMisplacedIn, parsePath, withoutMisplaced } from '../../src/config/misplaced.ts';
import { loadWaitConfig } from '../../src/config/wait-config.ts';
import { findLeaks } from '../support/leak-check.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const jwt = unsignedJwt({ sub: 'somebody' });
const password = 'correct.horse~battery.staple';
const pem = `-----BEGIN PRIVATE KEY-----\n${'MC4CAQAwBQYDK2Vw'.repeat(4)}\n-----END PRIVATE KEY-----\n`;

/** What files hold, as it gets into the place of their paths. */
const contents: readonly [what: string, text: string][] = [
  ['a line of a passfile', `db.example.com:5432:*:app:${password}`],
  ['a line with a short password', 'db:5432:*:app:pw'],
  ['a line for any server', `*:*:*:*:${password}`],
  ["a line for a socket's directory", `/var/run/postgresql:5432:shop:app:${password}`],
  ['a line without its password', 'db.example.com:5432:*:app'],
  ['several lines', `# mine\ndb.example.com:5432:*:app:${password}\n`],
  ['a token', jwt],
  ['a token in quotes', `"${jwt}"`],
  ['the beginning of a token', jwt.slice(0, 20)],
  ['a token with its scheme', `Bearer ${jwt}`],
  ['a PEM block', pem],
  ['a PEM block in base64', Buffer.from(pem).toString('base64')],
  ['a connection string', `postgresql://app:${password}@db/shop`],
  ['a connection string without a password', 'postgresql://app@db/shop'],
  ['pairs', `host=db user=app password=${password}`],
  ['pairs without a password', 'host=db user=app'],
  ['an answer', `{"access_token": "${jwt}"}`],
  ['a client secret', 'p7K8Q~rT0vXn3mB5cZ1yLdW9eHsJuAqGfRiOkPxN'],
];

const whole: Environment = {
  PGPASSFILE: '/pgpass',
  PGPASSD_ENTRIES: 'db:5432:*:app',
  AZURE_TENANT_ID: 'tenant.example',
  AZURE_CLIENT_ID: 'client',
  AZURE_FEDERATED_TOKEN_FILE: '/token',
};

const problemsIn = (env: Environment, command: 'run' | 'once' | 'check' = 'check') =>
  readConfig([], { ...whole, ...env }, command).problems.texts;

test.each(contents)('a path is not %s, and that is said without repeating it', (_what, text) => {
  expect(() => parsePath(text)).toThrow(/^this is the content, not its path: it reads like /);
  expect(() => parsePath(text)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining(text.slice(0, 16)) }),
  );
});

test.each([
  '/var/run/secrets/azure/tokens/azure-identity-token',
  '/pgpass',
  './pgpass',
  'pgpass',
  'certificates/my-own-authority.pem',
  '/a/path with blanks/and:colons:in/it',
  '/sys/devices/pci0000:00/0000:00:1f.2',
  '/eyJoy/x',
])('a path is %s', (text) => {
  expect(parsePath(text)).toBe(text);
});

test.each([
  ['a line break', '/run/a\nb', /no line breaks|content/],
  ['an escape sequence', '/run/\u001b[2Ja', /no other control characters/],
  ['4,096 bytes', `/${'x'.repeat(4_095)}`, /4095 bytes at most/],
  ['a long word that could be a password', 'correct-horse-battery-staple', /write the whole path/],
])('a path has not %s', (_what, text, says) => {
  expect(() => parsePath(text)).toThrow(says);
});

describe.each(['run', 'once', 'check'] as const)('%s', (command) => {
  test.each([
    'PGPASSFILE',
    'PGPASSD_PASSFILE',
    'PGPASSD_TEMPLATE',
    'PGPASSD_CA_FILE',
    'AZURE_FEDERATED_TOKEN_FILE',
    'NODE_EXTRA_CA_CERTS',
  ])('refuses what is no path in %s, once, and names it', (variable) => {
    for (const [, text] of contents) {
      const problems = problemsIn({ [variable]: text }, command);
      const told = problems.filter((each) => each.startsWith(`${variable}: this is the content`));
      expect(told).toHaveLength(1);
      expect(findLeaks(problems.join('\n'), [jwt, password])).toEqual([]);
    }
  });

  test("refuses what is no path in the token proxy's CA file", () => {
    const proxy = { AZURE_KUBERNETES_TOKEN_PROXY: 'https://proxy.example/' };
    for (const [, text] of contents) {
      expect(problemsIn({ ...proxy, AZURE_KUBERNETES_CA_FILE: text }, command)).toEqual([
        expect.stringMatching(/^AZURE_KUBERNETES_CA_FILE: this is the content/),
      ]);
    }
  });

  test.each([
    'AZURE_TENANT_ID',
    'AZURE_CLIENT_ID',
    'AZURE_AUTHORITY_HOST',
    'PGPASSD_SCOPE',
    'PGPASSD_TOKEN_ENDPOINT',
    'PGPASSD_ENTRIES',
    'PGPASSD_OWNER',
    'PGPASSD_LOG_LEVEL',
    'PGPASSD_HTTP_ADDRESS',
    'PGPASSD_REFRESH_FRACTION',
  ])('refuses a secret in %s', (variable) => {
    for (const text of [jwt, `https://login.example/${jwt}`, `${jwt.slice(0, 40)}:80`, pem]) {
      const problems = problemsIn({ [variable]: text }, command);
      expect(problems.join('\n')).toContain(`${variable}: `);
      expect(findLeaks(problems.join('\n'), [jwt])).toEqual([]);
    }
  });

  test.each(['PGHOST', 'PGHOSTADDR', 'PGUSER', 'PGDATABASE', 'PGPORT'])(
    'refuses a secret in %s, where that says whom the token is for',
    (variable) => {
      const libpq = { PGPASSD_ENTRIES: '', PGHOST: 'db', PGUSER: 'app', [variable]: jwt };
      expect(problemsIn(libpq, command)).toEqual([
        expect.stringMatching(new RegExp(`^${variable}: this reads like a token`)),
      ]);
    },
  );

  test('refuses a token for the name that TLS sends in clear', () => {
    const env = {
      AZURE_KUBERNETES_TOKEN_PROXY: 'https://proxy.example/',
      AZURE_KUBERNETES_SNI_NAME: jwt,
    };
    expect(problemsIn(env, command)).toEqual([
      expect.stringMatching(/^AZURE_KUBERNETES_SNI_NAME: this reads like a token/),
    ]);
  });
});

test('wait refuses what is no path for a passfile', () => {
  for (const [, text] of contents) {
    expect(() => loadWaitConfig([{ flag: '--passfile', value: text }], {})).toThrow(
      /^--passfile: this is the content/,
    );
  }
});

test('a field of the token request and an argument of the token command may be secret', () => {
  const flags = [{ flag: '--token-param', value: `client_assertion=${jwt}` }];
  expect(readConfig(flags, whole, 'once').problems.texts).toEqual([]);
  const command = [{ flag: '--token-command', value: `get-token --with ${jwt}` }];
  expect(readConfig(command, whole, 'once').problems.texts).toEqual([]);
});

describe('check', () => {
  test.each([
    ['PGSERVICEFILE', 'db:5432:*:app:pw'],
    ['PGSYSCONFDIR', 'db:5432:*:app:pw'],
    ['PGSSLROOTCERT', pem],
    ['PGSERVICE', jwt],
    ['PGSSLMODE', `postgresql://app:${password}@db/`],
  ])('names %s when it holds a secret, and goes on without it', (variable, text) => {
    expect(problemsIn({ [variable]: text })).toEqual([
      expect.stringMatching(new RegExp(`^${variable}: `)),
    ]);
    expect(withoutMisplaced({ ...whole, [variable]: text })).toEqual(whole);
  });

  test('finds nothing wrong with the variables of a usual pod', () => {
    const usual = {
      HOME: '/home/app',
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      PGHOST: 'a.postgres.database.azure.com,b.postgres.database.azure.com',
      PGPORT: '5432,6432',
      PGUSER: 'my-app@contoso.onmicrosoft.com',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: 'system',
      PGPASSFILE: '/var/run/pgpassd/pgpass',
    };
    expect(everyMisplacedIn(usual)).toEqual(new Map());
  });
});

describe('of what is no setting', () => {
  const problemsOf = (flag: string) =>
    readConfig([{ flag, value: undefined }], whole, 'check').problems.texts.join('\n');

  test('a long word is not repeated, unless it is a setting misspelt', () => {
    expect(problemsOf('--correct-horse-battery-staple')).not.toContain('horse');
    expect(problemsOf('correct-horse-battery-staple')).not.toContain('horse');
    expect(problemsOf('--federated-tokenfile')).toContain('--federated-tokenfile is not a setting');
    expect(problemsOf('--refresh')).toContain('--refresh is not a setting');
  });

  test('twenty are told, however many there are', () => {
    const many = Array.from({ length: 50_000 }, (_, at) => [`PGPASSD_X${at}`, '']);
    const problems = problemsIn(Object.fromEntries(many));
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe(
      'there are 49980 more variables that begin with PGPASSD_ and are no settings',
    );
  });
});
