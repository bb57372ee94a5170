import { scopeOf } from '../entra/clouds.ts';
import { type ExchangeSettings, tokenEndpointOf } from '../entra/request.ts';
import type { TokenProxySettings } from '../entra/token-proxy.ts';
import { ANY, type Entry } from '../passfile/format.ts';
import { PgpassdError } from '../support/errors.ts';
import type { Argv } from '../token-command/split.ts';
import { entriesFromPgVariables } from './entry.ts';
import type { Environment, GivenFlag } from './given.ts';
import type { OptionValues } from './options.ts';
import { readSettings } from './read-settings.ts';
import { readTokenProxy } from './token-proxy.ts';
import { ValueError } from './values.ts';

type Plain = Pick<
  OptionValues,
  | 'passfile'
  | 'template'
  | 'mode'
  | 'owner'
  | 'onExit'
  | 'refreshFraction'
  | 'logLevel'
  | 'logFormat'
>;

/** Everything `run` and `once` need to know; nothing in it is secret. */
export interface Config extends Plain {
  /** Empty when there is a template. */
  readonly entries: readonly Entry[];
  readonly source: WorkloadIdentitySettings | TokenCommandSettings;
  readonly requestTimeoutMs: number;
  readonly timeoutMs: number;
  readonly minValidityMs: number;
}

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

type Values = Partial<OptionValues>;

/**
 * The configuration that flags and environment make.
 *
 * @throws PgpassdError `config.invalid` with every problem at once, one a line
 */
export function loadConfig(flags: readonly GivenFlag[], env: Environment): Config {
  const { values, problems: found } = readSettings(flags, env);
  const problems = [...found];
  const entries = entriesOf(values, env, problems);
  const source = sourceOf(values, env, problems);
  if (problems.length > 0) {
    throw new PgpassdError(
      'config.invalid',
      problems.join('\n'),
      'See pgpassd --help for every setting.',
    );
  }
  // Without problems every setting has its value.
  const { requestTimeout, timeout, minValidity, ...rest } = values as OptionValues;
  return Object.freeze({
    passfile: rest.passfile,
    template: rest.template,
    mode: rest.mode,
    owner: rest.owner,
    onExit: rest.onExit,
    refreshFraction: rest.refreshFraction,
    logLevel: rest.logLevel,
    logFormat: rest.logFormat,
    entries,
    source,
    requestTimeoutMs: requestTimeout,
    timeoutMs: timeout,
    minValidityMs: minValidity,
  });
}

function entriesOf(values: Values, env: Environment, problems: string[]): readonly Entry[] {
  // Unreadable entries are told already.
  if (values.entry === undefined) return [];
  if (values.template !== undefined) {
    if (values.entry.length > 0) {
      problems.push(
        '--template and --entry (PGPASSD_ENTRIES) exclude each other: keep one of them',
      );
    }
    return [];
  }
  const entries = values.entry.length > 0 ? values.entry : entriesOfEnvironment(env, problems);
  if (values.allowWildcardHost === false && entries.some(({ host }) => host === ANY)) {
    problems.push(
      '--entry with * as host sends the token to any server a client is pointed at; name the host, or add --allow-wildcard-host',
    );
  }
  return entries;
}

function entriesOfEnvironment(env: Environment, problems: string[]): readonly Entry[] {
  if (!env['PGHOST'] && !env['PGHOSTADDR']) {
    problems.push(
      '--entry (PGPASSD_ENTRIES) is not set: say who the token is for, as host:port:database:user, or set PGHOST and PGUSER',
    );
    return [];
  }
  try {
    return entriesFromPgVariables(env);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    problems.push(`PGHOST, PGHOSTADDR, PGPORT, PGDATABASE, PGUSER: ${error.message}`);
    return [];
  }
}

function sourceOf(values: Values, env: Environment, problems: string[]): Config['source'] {
  const { tokenCommand: command, tokenLifetime } = values;
  if (command !== undefined) {
    const lifetimeSeconds = tokenLifetime === undefined ? undefined : tokenLifetime / 1000;
    return { kind: 'token-command', command, lifetimeSeconds };
  }
  if (tokenLifetime !== undefined) {
    problems.push(
      '--token-lifetime goes with --token-command only: Entra tells the life of its tokens',
    );
  }
  return {
    kind: 'workload-identity',
    federatedTokenFile: values.federatedTokenFile ?? '',
    exchange: exchangeOf(values, problems),
    caFile: values.caFile,
    tokenProxy: readTokenProxy(env, problems),
  };
}

function exchangeOf(values: Values, problems: string[]): ExchangeSettings {
  const { tenantId = '', clientId = '', authorityHost, tokenParam: extraFields = [] } = values;
  const scope = values.scope ?? (authorityHost && scopeOf(authorityHost));
  if (authorityHost !== undefined && scope === undefined) {
    problems.push(
      `--scope (PGPASSD_SCOPE) is not set: there is no default for the authority host ${authorityHost.host}`,
    );
  }
  const endpoint =
    values.tokenEndpoint?.href ?? (authorityHost && tokenEndpointOf(authorityHost, tenantId));
  return { tokenEndpoint: endpoint ?? '', tenantId, clientId, scope: scope ?? '', extraFields };
}
