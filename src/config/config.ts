import { scopeOf } from '../entra/clouds.ts';
import {
  type ExchangeSettings,
  type TokenProxySettings,
  tokenEndpointOf,
} from '../entra/request.ts';
import { ANY, type Entry } from '../passfile/format.ts';
import { PgpassdError } from '../support/errors.ts';
import type { Argv } from '../token-command/split.ts';
import { entriesFromPgVariables, PG_VARIABLES } from './entry.ts';
import type { Environment, GivenFlag } from './given.ts';
import { everyMisplacedIn, misplacedIn } from './misplaced.ts';
import type { CommandName, Option } from './option.ts';
import { type OptionName, type OptionValues, options } from './options.ts';
import type { Problems } from './problems.ts';
import { objectionToPath } from './read-files.ts';
import { readSettings } from './read-settings.ts';
import { readTokenProxy } from './token-proxy.ts';
import { unexpandedReference } from './unexpanded.ts';
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
  | 'httpAddress'
>;

/** Everything `run`, `once` and `check` need to know; nothing in it is secret. */
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

/** What can be said of a configuration, be it whole or not. */
export interface Reading {
  /** Settings that could not be read, or are missing, are absent. */
  readonly values: Partial<OptionValues>;
  readonly entries: readonly Entry[];
  /** How tokens are asked for; absent when the settings that say so are not whole. */
  readonly source: Config['source'] | undefined;
  /** Absent when there are problems. */
  readonly config: Config | undefined;
  readonly problems: Problems;
}

/**
 * The configuration that flags and environment make.
 *
 * @throws PgpassdError `config.invalid` with every problem at once, one a line
 */
export function loadConfig(
  flags: readonly GivenFlag[],
  env: Environment,
  command: CommandName,
): Config {
  const { config, problems } = readConfig(flags, env, command);
  if (config !== undefined) return config;
  throw new PgpassdError('config.invalid', problems.texts.join('\n'), seeHelp(command));
}

export function seeHelp(command: CommandName): string {
  return `See pgpassd ${command} --help for every setting.`;
}

/** Who writes the passfile. */
const writers: readonly CommandName[] = ['run', 'once'];

/** The same without the last word: `check` looks at what there is. */
export function readConfig(
  flags: readonly GivenFlag[],
  env: Environment,
  command: CommandName,
): Reading {
  const { values, problems } = readSettings(flags, env, command);
  const entries = entriesOf(values, env, problems);
  const problemsBefore = problems.texts.length;
  const source = sourceOf(values, env, problems);
  const found = {
    values,
    entries,
    source: saysSource(values) && problems.texts.length === problemsBefore ? source : undefined,
    problems,
  };
  for (const problem of misplacedAround(env, command)) problems.add(problem);
  const objection =
    values.passfile === undefined || !writers.includes(command)
      ? undefined
      : objectionToPath(values.passfile);
  if (objection !== undefined) problems.add(objection);
  if (values.connect && values.offline) {
    problems.add('--connect and --offline exclude each other: keep one of them');
  }
  if (problems.texts.length > 0) return { ...found, config: undefined };
  // Without problems every setting has its value.
  const { requestTimeout, timeout, minValidity, ...rest } = values as OptionValues;
  const config: Config = Object.freeze({
    passfile: rest.passfile,
    template: rest.template,
    mode: rest.mode,
    owner: rest.owner,
    onExit: rest.onExit,
    refreshFraction: rest.refreshFraction,
    logLevel: rest.logLevel,
    logFormat: rest.logFormat,
    httpAddress: rest.httpAddress,
    entries,
    source,
    requestTimeoutMs: requestTimeout,
    timeoutMs: timeout,
    minValidityMs: minValidity,
  });
  return { ...found, config };
}

/** What else the command reads beside our settings: `check` quotes much of it. */
function misplacedAround(env: Environment, command: CommandName): readonly string[] {
  return command === 'check'
    ? [...everyMisplacedIn(env).values()]
    : [misplacedIn('NODE_EXTRA_CA_CERTS', env)].filter((problem) => problem !== undefined);
}

function entriesOf(values: Values, env: Environment, problems: Problems): readonly Entry[] {
  // Unreadable entries are told already.
  if (values.entry === undefined) return [];
  if (values.template !== undefined) {
    if (values.entry.length > 0) {
      problems.add('--template and --entry (PGPASSD_ENTRIES) exclude each other: keep one of them');
    }
    return [];
  }
  const entries = values.entry.length > 0 ? values.entry : entriesOfEnvironment(env, problems);
  if (values.allowWildcardHost === false && entries.some(({ host }) => host === ANY)) {
    problems.add(
      '--entry with * as host sends the token to any server a client is pointed at; name the host, or add --allow-wildcard-host',
    );
  }
  return entries;
}

function entriesOfEnvironment(env: Environment, problems: Problems): readonly Entry[] {
  if (!env['PGHOST'] && !env['PGHOSTADDR']) {
    problems.addMissing(
      '--entry (PGPASSD_ENTRIES) is not set: say who the token is for, as host:port:database:user, or set PGHOST and PGUSER',
    );
    return [];
  }
  if (!env['PGUSER']) {
    problems.addMissing(
      'PGUSER is not set, and --entry (PGPASSD_ENTRIES) neither: say who the token is for',
    );
    return [];
  }
  return readPgVariables(env, problems);
}

/** The entries of libpq's own variables; what is wrong with them is added to `problems`. */
export function readPgVariables(env: Environment, problems: Problems): readonly Entry[] {
  const names = Object.keys(PG_VARIABLES);
  const misplaced = names
    .map((name) => misplacedIn(name, env))
    .filter((problem) => problem !== undefined);
  if (misplaced.length > 0) {
    for (const problem of misplaced) problems.add(problem);
    return [];
  }
  try {
    const unexpanded = names.map((name) => unexpandedReference(env[name] ?? '')).find(Boolean);
    if (unexpanded) throw new ValueError(unexpanded);
    return entriesFromPgVariables(env);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    problems.add(`${names.join(', ')}: ${error.message}`);
    return [];
  }
}

/** What has a part in asking for tokens. */
const sourceSettings = [
  'tenantId',
  'clientId',
  'federatedTokenFile',
  'authorityHost',
  'scope',
  'tokenEndpoint',
  'tokenParam',
  'tokenCommand',
  'tokenLifetime',
  'caFile',
] as const satisfies readonly OptionName[];

/** Whether all of that could be read; a token command takes the place of the identity. */
function saysSource(values: Values): boolean {
  const unneeded = values.tokenCommand === undefined ? undefined : 'tokenCommand';
  return sourceSettings.every((name) => {
    const { unless }: Option<unknown> = options[name];
    return name in values || (unless !== undefined && unless === unneeded);
  });
}

function sourceOf(values: Values, env: Environment, problems: Problems): Config['source'] {
  const { tokenCommand: command, tokenLifetime } = values;
  if (command !== undefined) {
    const lifetimeSeconds = tokenLifetime === undefined ? undefined : tokenLifetime / 1000;
    return { kind: 'token-command', command, lifetimeSeconds };
  }
  if (tokenLifetime !== undefined) {
    problems.add(
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

function exchangeOf(values: Values, problems: Problems): ExchangeSettings {
  const { tenantId = '', clientId = '', authorityHost, tokenParam: extraFields = [] } = values;
  const scope = values.scope ?? (authorityHost && scopeOf(authorityHost));
  if (authorityHost !== undefined && scope === undefined) {
    problems.add(
      `--scope (PGPASSD_SCOPE) is not set: there is no default for the authority host ${authorityHost.host}`,
    );
  }
  const endpoint =
    values.tokenEndpoint?.href ?? (authorityHost && tokenEndpointOf(authorityHost, tenantId));
  return { tokenEndpoint: endpoint ?? '', tenantId, clientId, scope: scope ?? '', extraFields };
}
