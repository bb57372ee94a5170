import type { OptionName, OptionValues } from '../../src/config/options.ts';
import { ANY, type Entry } from '../../src/passfile/format.ts';

/** A text as a user writes it, and the value it stands for. */
type Sample<V> = readonly [text: string, value: V];

export interface Samples<V> {
  readonly flag: string;
  readonly variable: string;
  /** The variable of the ecosystem that is read after ours. */
  readonly also?: string;
  readonly fromFlag: Sample<V>;
  readonly fromVariable: Sample<V>;
  readonly fromAlso?: Sample<V>;
  /** Its value where it is not given. */
  readonly otherwise: 'required' | { readonly value: V };
  /** A text that makes no sense. */
  readonly nonsense?: string;
}

const entryOf = (host: string): Entry => ({ host, port: ANY, database: ANY, user: 'my-app' });

/** Of every setting; the compiler asks for those that are added. */
export const samples: { readonly [N in OptionName]: Samples<OptionValues[N]> } = {
  passfile: {
    flag: '--passfile',
    variable: 'PGPASSD_PASSFILE',
    also: 'PGPASSFILE',
    fromFlag: ['/flag', '/flag'],
    fromVariable: ['/variable', '/variable'],
    fromAlso: ['/also', '/also'],
    otherwise: 'required',
  },
  entry: {
    flag: '--entry',
    variable: 'PGPASSD_ENTRIES',
    fromFlag: ['flag:::my-app', [entryOf('flag')]],
    fromVariable: ['one:::my-app\r\n\ntwo:::my-app\n', [entryOf('one'), entryOf('two')]],
    otherwise: { value: [] },
    nonsense: 'my-server:5432',
  },
  template: {
    flag: '--template',
    variable: 'PGPASSD_TEMPLATE',
    fromFlag: ['/flag', '/flag'],
    fromVariable: ['/variable', '/variable'],
    otherwise: { value: undefined },
  },
  tokenParam: {
    flag: '--token-param',
    variable: 'PGPASSD_TOKEN_PARAM',
    fromFlag: ['grant_type=a=b', [['grant_type', 'a=b']]],
    fromVariable: [
      'one=1\ntwo=\n',
      [
        ['one', '1'],
        ['two', ''],
      ],
    ],
    otherwise: { value: [] },
    nonsense: 'grant_type',
  },
  tokenCommand: {
    flag: '--token-command',
    variable: 'PGPASSD_TOKEN_COMMAND',
    fromFlag: ['flag', ['flag']],
    fromVariable: ['variable --all', ['variable', '--all']],
    otherwise: { value: undefined },
  },
  tokenLifetimeMs: {
    flag: '--token-lifetime',
    variable: 'PGPASSD_TOKEN_LIFETIME',
    fromFlag: ['15m', 900_000],
    fromVariable: ['1h', 3_600_000],
    otherwise: { value: undefined },
    nonsense: '15',
  },
  allowWildcardHost: {
    flag: '--allow-wildcard-host',
    variable: 'PGPASSD_ALLOW_WILDCARD_HOST',
    fromFlag: ['false', false],
    fromVariable: ['true', true],
    otherwise: { value: false },
    nonsense: 'perhaps',
  },
  mode: {
    flag: '--mode',
    variable: 'PGPASSD_MODE',
    fromFlag: ['0400', 0o400],
    fromVariable: ['600', 0o600],
    otherwise: { value: 0o600 },
    nonsense: '0640',
  },
  owner: {
    flag: '--owner',
    variable: 'PGPASSD_OWNER',
    fromFlag: ['1000:2000', { uid: 1000, gid: 2000 }],
    fromVariable: ['1000', { uid: 1000, gid: undefined }],
    otherwise: { value: undefined },
    nonsense: 'postgres',
  },
  onExit: {
    flag: '--on-exit',
    variable: 'PGPASSD_ON_EXIT',
    fromFlag: ['keep', 'keep'],
    fromVariable: ['remove', 'remove'],
    otherwise: { value: 'keep' },
    nonsense: 'delete',
  },
  tenantId: {
    flag: '--tenant-id',
    variable: 'PGPASSD_TENANT_ID',
    also: 'AZURE_TENANT_ID',
    fromFlag: ['flag.example', 'flag.example'],
    fromVariable: ['variable.example', 'variable.example'],
    fromAlso: ['also.example', 'also.example'],
    otherwise: 'required',
    nonsense: '../common',
  },
  clientId: {
    flag: '--client-id',
    variable: 'PGPASSD_CLIENT_ID',
    also: 'AZURE_CLIENT_ID',
    fromFlag: ['flag', 'flag'],
    fromVariable: ['variable', 'variable'],
    fromAlso: ['also', 'also'],
    otherwise: 'required',
  },
  federatedTokenFile: {
    flag: '--federated-token-file',
    variable: 'PGPASSD_FEDERATED_TOKEN_FILE',
    also: 'AZURE_FEDERATED_TOKEN_FILE',
    fromFlag: ['/flag', '/flag'],
    fromVariable: ['/variable', '/variable'],
    fromAlso: ['/also', '/also'],
    otherwise: 'required',
  },
  authorityHost: {
    flag: '--authority-host',
    variable: 'PGPASSD_AUTHORITY_HOST',
    also: 'AZURE_AUTHORITY_HOST',
    fromFlag: ['https://flag.example', new URL('https://flag.example/')],
    fromVariable: ['http://localhost:1', new URL('http://localhost:1/')],
    fromAlso: ['https://also.example/', new URL('https://also.example/')],
    otherwise: { value: new URL('https://login.microsoftonline.com/') },
    nonsense: 'http://login.example/',
  },
  scope: {
    flag: '--scope',
    variable: 'PGPASSD_SCOPE',
    fromFlag: ['flag/.default', 'flag/.default'],
    fromVariable: ['variable/.default', 'variable/.default'],
    otherwise: { value: undefined },
  },
  tokenEndpoint: {
    flag: '--token-endpoint',
    variable: 'PGPASSD_TOKEN_ENDPOINT',
    fromFlag: ['https://flag.example/t?x=1', new URL('https://flag.example/t?x=1')],
    fromVariable: ['https://variable.example/t', new URL('https://variable.example/t')],
    otherwise: { value: undefined },
    nonsense: 'login.example/token',
  },
  caFile: {
    flag: '--ca-file',
    variable: 'PGPASSD_CA_FILE',
    fromFlag: ['/flag', '/flag'],
    fromVariable: ['/variable', '/variable'],
    otherwise: { value: undefined },
  },
  refreshFraction: {
    flag: '--refresh-fraction',
    variable: 'PGPASSD_REFRESH_FRACTION',
    fromFlag: ['0.25', 0.25],
    fromVariable: ['.75', 0.75],
    otherwise: { value: 0.5 },
    nonsense: '1',
  },
  requestTimeoutMs: {
    flag: '--request-timeout',
    variable: 'PGPASSD_REQUEST_TIMEOUT',
    fromFlag: ['5s', 5_000],
    fromVariable: ['1m', 60_000],
    otherwise: { value: 10_000 },
    nonsense: '10',
  },
  timeoutMs: {
    flag: '--timeout',
    variable: 'PGPASSD_TIMEOUT',
    fromFlag: ['5m', 300_000],
    fromVariable: ['1h30m', 5_400_000],
    otherwise: { value: 60_000 },
    nonsense: '0s',
  },
  minValidityMs: {
    flag: '--min-validity',
    variable: 'PGPASSD_MIN_VALIDITY',
    fromFlag: ['5m', 300_000],
    fromVariable: ['90s', 90_000],
    otherwise: { value: 60_000 },
    nonsense: '1 minute',
  },
  logLevel: {
    flag: '--log-level',
    variable: 'PGPASSD_LOG_LEVEL',
    fromFlag: ['debug', 'debug'],
    fromVariable: ['silent', 'silent'],
    otherwise: { value: 'info' },
    nonsense: 'loud',
  },
  logFormat: {
    flag: '--log-format',
    variable: 'PGPASSD_LOG_FORMAT',
    fromFlag: ['pretty', 'pretty'],
    fromVariable: ['json', 'json'],
    otherwise: { value: undefined },
    nonsense: 'yaml',
  },
  httpAddress: {
    flag: '--http-address',
    variable: 'PGPASSD_HTTP_ADDRESS',
    fromFlag: ['[::1]:0', { host: '::1', port: 0 }],
    fromVariable: ['off', 'off'],
    otherwise: { value: { host: '0.0.0.0', port: 8432 } },
    nonsense: '8432',
  },
  for: {
    flag: '--for',
    variable: 'PGPASSD_FOR',
    fromFlag: ['flag:1:db:me', [{ host: 'flag', port: '1', database: 'db', user: 'me' }]],
    fromVariable: [
      'variable:::me\npostgresql://you@also/shop',
      [
        { host: 'variable', port: '5432', database: 'me', user: 'me' },
        { host: 'also', port: '5432', database: 'shop', user: 'you' },
      ],
    ],
    otherwise: { value: [] },
    nonsense: '*:5432:shop:me',
  },
  expectUid: {
    flag: '--expect-uid',
    variable: 'PGPASSD_EXPECT_UID',
    fromFlag: ['1000', 1000],
    fromVariable: ['0', 0],
    otherwise: { value: undefined },
    nonsense: '1000:1000',
  },
  connect: {
    flag: '--connect',
    variable: 'PGPASSD_CONNECT',
    fromFlag: ['false', false],
    fromVariable: ['true', true],
    otherwise: { value: false },
    nonsense: 'perhaps',
  },
  offline: {
    flag: '--offline',
    variable: 'PGPASSD_OFFLINE',
    fromFlag: ['false', false],
    fromVariable: ['true', true],
    otherwise: { value: false },
    nonsense: 'perhaps',
  },
  json: {
    flag: '--json',
    variable: 'PGPASSD_JSON',
    fromFlag: ['false', false],
    fromVariable: ['true', true],
    otherwise: { value: false },
    nonsense: 'perhaps',
  },
};

export const everySample = Object.entries(samples) as [OptionName, Samples<unknown>][];
