import {
  type ExchangeSettings,
  scopeOf,
  type TokenProxySettings,
  tokenEndpointOf,
} from '../entra/request.ts';
import type { Argv } from '../token-command/split.ts';
import type { Environment, ValuesOf } from './option.ts';
import { type OptionGroups, optionGroups } from './options.ts';
import type { Problem } from './read-options.ts';
import { misplacedIn } from './secrets.ts';

/** Where tokens come from. */
export type SourceSettings = WorkloadIdentitySettings | TokenCommandSettings;

export interface WorkloadIdentitySettings {
  readonly kind: 'workload-identity';
  readonly federatedTokenFile: string;
  readonly exchange: ExchangeSettings;
  readonly caFile: string | undefined;
  readonly tokenProxy: TokenProxySettings | undefined;
}

export interface TokenCommandSettings {
  readonly kind: 'token-command';
  readonly command: Argv;
  readonly lifetimeSeconds: number | undefined;
}

/** The values of the group `identity`; those that could not be read, or are missing, are absent. */
type IdentityValues = Partial<ValuesOf<OptionGroups['identity']>>;

export interface ReadSource {
  /** Absent when there are problems, or when an option of the group could not be read. */
  readonly source: SourceSettings | undefined;
  readonly problems: readonly Problem[];
}

export function sourceOf(values: IdentityValues, env: Environment): ReadSource {
  const { tokenCommand: command, tokenLifetimeMs, federatedTokenFile = '', caFile } = values;
  if (command !== undefined) {
    const lifetimeSeconds = tokenLifetimeMs === undefined ? undefined : tokenLifetimeMs / 1000;
    const source: SourceSettings = { kind: 'token-command', command, lifetimeSeconds };
    return { source: isComplete(values) ? source : undefined, problems: [] };
  }
  const { tokenProxy, problems: ofProxy } = readTokenProxy(env);
  const problems = [...lifetimeProblems(values), ...scopeProblems(values), ...ofProxy];
  const exchange = exchangeOf(values);
  if (problems.length > 0 || exchange === undefined || !isComplete(values)) {
    return { source: undefined, problems };
  }
  const source: SourceSettings = {
    kind: 'workload-identity',
    federatedTokenFile,
    exchange,
    caFile,
    tokenProxy,
  };
  return { source, problems };
}

/** Whether every option of the group could be read; a token command takes the place of the identity. */
function isComplete(values: IdentityValues): boolean {
  return Object.entries(optionGroups.identity).every(([name, { unless }]) => {
    const isReplaced = unless === 'tokenCommand' && values.tokenCommand !== undefined;
    return name in values || isReplaced;
  });
}

function lifetimeProblems({ tokenLifetimeMs }: IdentityValues): readonly Problem[] {
  if (tokenLifetimeMs === undefined) return [];
  const text =
    '--token-lifetime goes with --token-command only: Entra states the lifetime of its tokens';
  return [{ kind: 'conflict', option: 'tokenLifetimeMs', text }];
}

function scopeProblems(values: IdentityValues): readonly Problem[] {
  const { authorityHost } = values;
  if (authorityHost === undefined || scopeFor(values) !== undefined) return [];
  const text = `--scope (PGPASSD_SCOPE) is not set: there is no default for the authority host ${authorityHost.host}`;
  return [{ kind: 'conflict', option: 'scope', text }];
}

function scopeFor({ scope, authorityHost }: IdentityValues): string | undefined {
  return scope ?? (authorityHost && scopeOf(authorityHost));
}

function exchangeOf(values: IdentityValues): ExchangeSettings | undefined {
  const { tenantId, clientId, authorityHost, tokenParam: extraFields = [] } = values;
  const scope = scopeFor(values);
  if (tenantId === undefined || clientId === undefined || scope === undefined) return undefined;
  const tokenEndpoint =
    values.tokenEndpoint?.href ?? (authorityHost && tokenEndpointOf(authorityHost, tenantId));
  if (tokenEndpoint === undefined) return undefined;
  return { tokenEndpoint, tenantId, clientId, scope, extraFields };
}

/**
 * The settings of AKS identity bindings, which the workload identity webhook sets in a pod:
 * https://learn.microsoft.com/azure/aks/identity-bindings-concepts
 *
 * `tokenProxy` is `undefined` when there is none, or none that can be used; the latter is a problem.
 */
export function readTokenProxy(env: Environment): {
  readonly tokenProxy: TokenProxySettings | undefined;
  readonly problems: readonly Problem[];
} {
  const proxy = env['AZURE_KUBERNETES_TOKEN_PROXY'];
  if (!proxy) {
    // The webhook sets AZURE_KUBERNETES_CA_FILE whether or not there is a proxy.
    const stray = ['AZURE_KUBERNETES_SNI_NAME', 'AZURE_KUBERNETES_CA_DATA'].filter(
      (name) => env[name],
    );
    const text = `${stray.join(' and ')} without AZURE_KUBERNETES_TOKEN_PROXY: set that to the token proxy's URL too, or unset the other`;
    const problems: Problem[] = stray.length === 0 ? [] : [{ kind: 'conflict', text }];
    return { tokenProxy: undefined, problems };
  }
  const url = URL.parse(proxy);
  const problems = [
    proxyProblem('AZURE_KUBERNETES_TOKEN_PROXY', env, objectionToUrl(url, proxy)),
    proxyProblem(
      'AZURE_KUBERNETES_SNI_NAME',
      env,
      objectionToName(env['AZURE_KUBERNETES_SNI_NAME']),
    ),
    env['AZURE_KUBERNETES_CA_DATA'] ? undefined : proxyProblem('AZURE_KUBERNETES_CA_FILE', env),
  ].filter((problem) => problem !== undefined);
  if (url === null || problems.length > 0) return { tokenProxy: undefined, problems };
  const sniName = env['AZURE_KUBERNETES_SNI_NAME'] || undefined;
  return { tokenProxy: { url, sniName, ca: caOf(env) }, problems };
}

function proxyProblem(given: string, env: Environment, objection?: string): Problem | undefined {
  const text = objection === undefined ? misplacedIn(given, env) : `${given}: ${objection}`;
  return text === undefined ? undefined : { kind: 'invalid', given, text };
}

/**
 * The SDKs refuse a file beside data. But the webhook sets the file even when the data is given, so the data
 * is what an operator chose.
 */
function caOf(env: Environment): TokenProxySettings['ca'] {
  const { AZURE_KUBERNETES_CA_DATA: pem, AZURE_KUBERNETES_CA_FILE: path } = env;
  if (pem) return { pem };
  return path ? { path } : undefined;
}

/** Without the URL itself, since its user part may be a password. */
function objectionToUrl(url: URL | null, text: string): string | undefined {
  if (url === null) return 'write a URL such as https://token-proxy.example.svc/';
  if (url.protocol !== 'https:') return 'use https: nothing else is safe for a token';
  if (url.username || url.password) return 'leave user and password out of it';
  if (text.includes('#')) return 'leave the fragment out of it';
  if (text.includes('?')) return 'leave the query out of it';
  return undefined;
}

/** TLS allows host names here, but no addresses: RFC 6066 section 3. */
function objectionToName(name: string | undefined): string | undefined {
  if (!name || (/^[\w-]+(?:\.[\w-]+)*$/.test(name) && !/(?:^|\.)\d+$/.test(name))) return undefined;
  return 'write a host name, without a port';
}

/** A file that pgpassd or a client reads, and that must therefore not be the passfile. */
export interface ReadFile {
  /** The setting that names it, for messages. */
  readonly setting: string;
  readonly path: string;
}

/** Variables of Node.js, OpenSSL and libpq that name such files. */
const fileVariables = [
  'AZURE_KUBERNETES_CA_FILE',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'PGSERVICEFILE',
  'PGSSLCERT',
  'PGSSLKEY',
  'PGSSLROOTCERT',
] as const;

/** The files that settings and environment name, apart from the passfile and its template. */
export function filesToRead(
  { source }: { readonly source: SourceSettings },
  env: Environment,
): readonly ReadFile[] {
  const own: [string, string | undefined][] =
    source.kind === 'workload-identity'
      ? [
          ['--federated-token-file (AZURE_FEDERATED_TOKEN_FILE)', source.federatedTokenFile],
          ['--ca-file (PGPASSD_CA_FILE)', source.caFile],
        ]
      : [['AZURE_FEDERATED_TOKEN_FILE', env['AZURE_FEDERATED_TOKEN_FILE']]];
  const others = fileVariables.map((name): [string, string | undefined] => [name, env[name]]);
  return [...own, ...others].flatMap(([setting, path]) => (path ? [{ setting, path }] : []));
}
