import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../src/cli.ts';
import { loadWaitConfig, readConfig } from '../../src/config/load.ts';
import type { Environment, GivenFlags } from '../../src/config/option.ts';
import {
  everyMisplacedIn,
  parsePath,
  secretsIn,
  withoutMisplaced,
} from '../../src/config/secrets.ts';
import { findLeaks } from '../support/leak-check.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const jwt = unsignedJwt({ sub: 'a-subject' });
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

function problemsIn(
  env: Environment,
  command: 'run' | 'once' | 'check' = 'check',
  flags: GivenFlags = {},
): string[] {
  return readConfig(flags, { ...whole, ...env }, command).problems.map(({ text }) => text);
}

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
  ['a long word that could be a password', 'correct-horse-battery-staple', /give the full path/],
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
      const found = problems.filter((each) => each.startsWith(`${variable}: this is the content`));
      expect(found).toHaveLength(1);
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
    expect(() => loadWaitConfig({ passfile: [text] }, {})).toThrow(
      /^--passfile: this is the content/,
    );
  }
});

test('a field of the token request and an argument of the token command may be secret', () => {
  const flags = { tokenParam: [`client_assertion=${jwt}`] };
  expect(problemsIn({}, 'once', flags)).toEqual([]);
  const command = { tokenCommand: [`get-token --with ${jwt}`] };
  expect(problemsIn({}, 'once', command)).toEqual([]);
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
  const parsing = (word: string) => () => parseCommandLine(['check', word]);

  test('a long word is not repeated, unless it is a setting misspelt', () => {
    for (const word of ['--correct-horse-battery-staple', 'correct-horse-battery-staple']) {
      expect(parsing(word)).toThrow(/^an argument/);
      expect(parsing(word)).not.toThrow(/horse/);
    }
    expect(parsing('--federated-tokenfile')).toThrow('--federated-tokenfile is not a setting');
    expect(parsing('--refresh')).toThrow('--refresh is not a setting');
  });

  test('twenty are reported, however many there are', () => {
    const many = Array.from({ length: 50_000 }, (_, at) => [`PGPASSD_X${at}`, '']);
    const problems = problemsIn(Object.fromEntries(many));
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe(
      'there are 49980 more variables that begin with PGPASSD_ and are no settings',
    );
  });
});

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
