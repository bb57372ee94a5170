import { describe, expect, test } from 'vitest';
import { type Config, loadConfig, readConfig } from '../../src/config/load.ts';
import type { Environment } from '../../src/config/option.ts';
import { ANY } from '../../src/passfile/format.ts';
import { PgpassdError } from '../../src/support/errors.ts';

/** What the webhook injects, and what the application has anyway. */
const pod: Environment = {
  PGPASSFILE: '/pgpass/pgpass',
  PGHOST: 'my-server.postgres.database.azure.com',
  PGUSER: 'my-app',
  AZURE_TENANT_ID: '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690',
  AZURE_CLIENT_ID: '2b9d7e14-53af-4c68-8e01-7a6c90f4d2b3',
  AZURE_FEDERATED_TOKEN_FILE: '/var/run/secrets/azure/wi/token/azure-identity-token',
  AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
};

const load = (env: Environment = {}): Config => loadConfig({}, { ...pod, ...env }, 'run');

function exchangeOf({ source }: Config) {
  if (source.kind !== 'workload-identity') throw new Error('another source');
  return source.exchange;
}

function problemsOf(env: Environment): string[] {
  try {
    load(env);
  } catch (error) {
    if (!(error instanceof PgpassdError)) throw error;
    expect(error.code).toBe('config.invalid');
    expect(error.remedy).toContain('--help');
    return error.message.split('\n');
  }
  return [];
}

describe('a configuration', () => {
  test('needs nothing beyond what pod and application have', () => {
    expect(load()).toEqual({
      passfile: '/pgpass/pgpass',
      httpAddress: { host: '0.0.0.0', port: 8432 },
      template: undefined,
      entries: [
        { host: 'my-server.postgres.database.azure.com', port: ANY, database: ANY, user: 'my-app' },
      ],
      mode: 0o600,
      owner: undefined,
      onExit: 'keep',
      source: {
        kind: 'workload-identity',
        federatedTokenFile: pod['AZURE_FEDERATED_TOKEN_FILE'],
        exchange: {
          tokenEndpoint: `https://login.microsoftonline.com/${pod['AZURE_TENANT_ID']}/oauth2/v2.0/token`,
          tenantId: pod['AZURE_TENANT_ID'],
          clientId: pod['AZURE_CLIENT_ID'],
          scope: 'https://ossrdbms-aad.database.windows.net/.default',
          extraFields: [],
        },
        caFile: undefined,
        tokenProxy: undefined,
      },
      refreshFraction: 0.5,
      requestTimeoutMs: 10_000,
      timeoutMs: 60_000,
      minValidityMs: 60_000,
      logLevel: 'info',
      logFormat: undefined,
    });
  });

  test('does not change afterwards', () => {
    expect(load()).toSatisfy(Object.isFrozen);
  });

  test('is the same without the slash behind the authority host', () => {
    const without = load({ AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com' });
    expect(exchangeOf(without)).toEqual(exchangeOf(load()));
  });

  test('takes what entries say, not what PGHOST does', () => {
    const { entries } = load({ PGPASSD_ENTRIES: 'writer:::one\nreader:::two' });
    expect(entries).toMatchObject([
      { host: 'writer', user: 'one' },
      { host: 'reader', user: 'two' },
    ]);
  });

  test.each([
    [
      'https://login.microsoftonline.us/',
      'https://ossrdbms-aad.database.usgovcloudapi.net/.default',
    ],
    ['https://login.chinacloudapi.cn/', 'https://ossrdbms-aad.database.chinacloudapi.cn/.default'],
  ])('asks in another cloud for its own scope: %s', (authorityHost, scope) => {
    const exchange = exchangeOf(load({ AZURE_AUTHORITY_HOST: authorityHost }));
    expect(exchange.scope).toBe(scope);
    expect(exchange.tokenEndpoint).toMatch(new RegExp(`^${authorityHost}${exchange.tenantId}/`));
  });

  test('asks for the scope that is named', () => {
    expect(exchangeOf(load({ PGPASSD_SCOPE: 'api://x/.default' })).scope).toBe('api://x/.default');
  });

  test('asks at the token endpoint that is named', () => {
    const exchange = exchangeOf(
      load({ PGPASSD_TOKEN_ENDPOINT: 'https://proxy.example/token?x=1' }),
    );
    expect(exchange.tokenEndpoint).toBe('https://proxy.example/token?x=1');
  });
});

describe('how tokens are asked for', () => {
  const sourceOf = (env: Environment) => readConfig({}, { ...pod, ...env }, 'check').source;

  test('is known although a setting that has no part in it is wrong, or missing', () => {
    const { source } = load();
    expect(sourceOf({ PGPASSD_MODE: '0640' })).toEqual(source);
    expect(sourceOf({ PGPASSD_MDOE: '0600' })).toEqual(source);
    expect(sourceOf({ PGPASSFILE: '', PGHOST: '' })).toEqual(source);
  });

  test.each<[string, Environment]>([
    ['missing', { AZURE_CLIENT_ID: '' }],
    ['unreadable', { AZURE_TENANT_ID: 'a/b' }],
    ['not known for this authority', { AZURE_AUTHORITY_HOST: 'https://login.example/' }],
  ])('is not known when one that has is %s', (_case, env) => {
    expect(sourceOf(env)).toBeUndefined();
  });

  test('needs no identity beside a token command', () => {
    const env = { AZURE_CLIENT_ID: '', AZURE_TENANT_ID: '', PGPASSD_TOKEN_COMMAND: 'get-token' };
    expect(sourceOf({ ...env, PGPASSD_MODE: '0640' })).toMatchObject({ kind: 'token-command' });
  });
});

describe('a wildcard host', () => {
  test('is refused: the token would go to any server', () => {
    expect(problemsOf({ PGPASSD_ENTRIES: 'writer:::u\n*:*:*:u' })).toEqual([
      expect.stringContaining('--allow-wildcard-host'),
    ]);
  });

  test('is permitted on request', () => {
    const { entries } = load({
      PGPASSD_ENTRIES: '*:*:*:u',
      PGPASSD_ALLOW_WILDCARD_HOST: 'true',
    });
    expect(entries).toMatchObject([{ host: ANY }]);
  });

  test.each([
    ['an escaped star', { PGPASSD_ENTRIES: '\\*:*:*:u' }],
    ['a star in PGHOST', { PGHOST: '*' }],
  ])('is not meant by %s, which names a host', (_case, env) => {
    expect(load(env).entries).toMatchObject([{ host: '*' }]);
  });

  test('is no wildcard for ports, databases and users, which may be any', () => {
    expect(problemsOf({ PGPASSD_ENTRIES: 'h:*:*:*' })).toEqual([]);
  });
});

describe('a problem', () => {
  test.each<[string, Environment, RegExp]>([
    [
      'nothing that the token is for',
      { PGHOST: '' },
      /^--entry \(PGPASSD_ENTRIES\).*PGHOST and PGUSER/,
    ],
    [
      'a host without a user',
      { PGUSER: '' },
      /^PGUSER is not set, and --entry \(PGPASSD_ENTRIES\) is not set either/,
    ],
    ['an unreadable entry', { PGPASSD_ENTRIES: 'h' }, /^PGPASSD_ENTRIES: value 1: /],
    [
      'an authority without a known scope',
      { AZURE_AUTHORITY_HOST: 'https://login.example:8443/' },
      /^--scope \(PGPASSD_SCOPE\).*login\.example:8443/,
    ],
    [
      'an authority in clear',
      { AZURE_AUTHORITY_HOST: 'http://login.example/' },
      /^AZURE_AUTHORITY_HOST: /,
    ],
    ['a malformed tenant', { AZURE_TENANT_ID: 'a/b' }, /^AZURE_TENANT_ID: /],
    ['no tenant', { AZURE_TENANT_ID: '' }, /^--tenant-id \(AZURE_TENANT_ID, /],
    ['no passfile', { PGPASSFILE: '' }, /^--passfile \(PGPASSFILE, /],
    ['a mode that libpq ignores', { PGPASSD_MODE: '0640' }, /^PGPASSD_MODE: /],
  ])('is reported once: %s', (_case, env, problem) => {
    expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]);
  });

  test('is reported with all the others, one per line', () => {
    const problems = problemsOf({
      PGPASSFILE: '',
      PGHOST: '',
      AZURE_CLIENT_ID: '',
      AZURE_AUTHORITY_HOST: 'https://login.example/',
      PGPASSD_TIMEOUT: 'soon',
      PGPASSD_TIME: '1',
    });
    for (const named of [
      '--passfile',
      '--entry',
      '--client-id',
      '--scope',
      'PGPASSD_TIMEOUT',
      'PGPASSD_TIME ',
    ]) {
      expect(problems.filter((problem) => problem.startsWith(named))).toHaveLength(1);
    }
    expect(problems).toHaveLength(6);
  });

  test('names the webhook that did not touch the pod', () => {
    const [problem] = problemsOf({ AZURE_FEDERATED_TOKEN_FILE: undefined });
    expect(problem).toContain('azure.workload.identity/use: "true"');
  });
});

describe('a token command', () => {
  const command = { PGPASSD_TOKEN_COMMAND: 'aws rds generate-db-auth-token' };

  test('makes the identity unnecessary', () => {
    const env = { ...command, PGPASSD_TOKEN_LIFETIME: '15m', AZURE_CLIENT_ID: '' };
    expect(load({ ...env, AZURE_TENANT_ID: '', AZURE_FEDERATED_TOKEN_FILE: '' }).source).toEqual({
      kind: 'token-command',
      command: ['aws', 'rds', 'generate-db-auth-token'],
      lifetimeSeconds: 900,
    });
  });

  test('is what a lifetime goes with', () => {
    expect(problemsOf({ PGPASSD_TOKEN_LIFETIME: '15m' })).toEqual([
      expect.stringContaining('--token-lifetime goes with --token-command'),
    ]);
  });
});

describe('a template', () => {
  test('stands instead of entries', () => {
    const { template, entries } = load({ PGPASSD_TEMPLATE: '/config/pgpass' });
    expect({ template, entries }).toEqual({ template: '/config/pgpass', entries: [] });
  });

  test('excludes entries', () => {
    const both = { PGPASSD_TEMPLATE: '/config/pgpass', PGPASSD_ENTRIES: 'writer:::u' };
    expect(problemsOf(both)).toEqual([expect.stringContaining('exclude each other')]);
  });
});

test('a token proxy is taken from the variables of the webhook', () => {
  const { source } = load({ AZURE_KUBERNETES_TOKEN_PROXY: 'https://10.0.0.1/proxy' });
  expect(source).toMatchObject({ tokenProxy: { url: new URL('https://10.0.0.1/proxy') } });
});

test('form fields are added to the request', () => {
  const exchange = exchangeOf(load({ PGPASSD_TOKEN_PARAM: 'grant_type=x\nresource=y=z' }));
  expect(exchange.extraFields).toEqual([
    ['grant_type', 'x'],
    ['resource', 'y=z'],
  ]);
});

describe("libpq's variables", () => {
  test.each([
    [
      'a line break at the end',
      { PGUSER: 'my-app\n' },
      /remove the line break at the end of PGUSER/,
    ],
    ['a port in the host', { PGHOST: 'db:5432' }, /PGHOST contains a port; set PGPORT/],
    ['quotes', { PGUSER: "'my-app'" }, /remove the quotes/],
  ])('are refused with %s', (_case, env, problem) => {
    expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]);
  });
});

test.each(['8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690', 'common'])(
  'an authority host with the tenant %s in it is refused',
  (tenant) => {
    expect(problemsOf({ AZURE_AUTHORITY_HOST: `https://login.example/${tenant}/` })).toEqual([
      expect.stringMatching(/^AZURE_AUTHORITY_HOST: leave the tenant out of it/),
    ]);
  },
);
