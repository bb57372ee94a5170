import { scopeOf } from '../entra/clouds.ts';
import { type ExchangeSettings, tokenEndpointOf } from '../entra/request.ts';
import { ANY, type Entry } from '../passfile/format.ts';
import { PgpassdError } from '../support/errors.ts';
import { entriesFromPgVariables } from './entry.ts';
import type { Environment, GivenFlag } from './given.ts';
import type { OptionValues } from './options.ts';
import { readSettings } from './read-settings.ts';
import { ValueError } from './values.ts';

type AsGiven = 'entry' | 'scope' | 'tokenEndpoint' | 'requestTimeout' | 'timeout' | 'minValidity';

/** Everything `run` and `once` need to know; nothing in it is secret. */
export interface Config extends Omit<OptionValues, AsGiven> {
  readonly entries: readonly Entry[];
  readonly exchange: ExchangeSettings;
  readonly requestTimeoutMs: number;
  readonly timeoutMs: number;
  readonly minValidityMs: number;
}

/**
 * The configuration that flags and environment make.
 *
 * @throws PgpassdError `config.invalid` with every problem at once, one a line
 */
export function loadConfig(flags: readonly GivenFlag[], env: Environment): Config {
  const { values, problems: found } = readSettings(flags, env);
  const problems = [...found];
  const entries = entriesOf(values, env, problems);
  const exchange = exchangeOf(values, problems);
  if (problems.length > 0) {
    throw new PgpassdError(
      'config.invalid',
      problems.join('\n'),
      'See pgpassd --help for every setting.',
    );
  }
  // Without problems every setting has its value.
  const { entry, scope, tokenEndpoint, requestTimeout, timeout, minValidity, ...rest } =
    values as OptionValues;
  return Object.freeze({
    ...rest,
    entries,
    exchange,
    requestTimeoutMs: requestTimeout,
    timeoutMs: timeout,
    minValidityMs: minValidity,
  });
}

function entriesOf(
  values: Partial<OptionValues>,
  env: Environment,
  problems: string[],
): readonly Entry[] {
  // Unreadable entries are told already.
  if (values.entry === undefined) return [];
  const entries = values.entry.length > 0 ? values.entry : entriesOfEnvironment(env, problems);
  if (values.allowWildcardHost === false && entries.some(({ host }) => host === ANY)) {
    problems.push(
      '--entry with * as host sends the token to any server a client is pointed at; name the host, or add --allow-wildcard-host',
    );
  }
  return entries;
}

function entriesOfEnvironment(env: Environment, problems: string[]): readonly Entry[] {
  if (!env['PGHOST']) {
    problems.push(
      '--entry (PGPASSD_ENTRIES) is not set: say who the token is for, as host:port:database:user, or set PGHOST and PGUSER',
    );
    return [];
  }
  try {
    return entriesFromPgVariables(env);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    problems.push(`PGHOST, PGPORT, PGDATABASE, PGUSER: ${error.message}`);
    return [];
  }
}

function exchangeOf(values: Partial<OptionValues>, problems: string[]): ExchangeSettings {
  const { tenantId = '', clientId = '', authorityHost } = values;
  const scope = values.scope ?? (authorityHost && scopeOf(authorityHost));
  if (authorityHost !== undefined && scope === undefined) {
    problems.push(
      `--scope (PGPASSD_SCOPE) is not set: there is no default for the authority host ${authorityHost.host}`,
    );
  }
  const endpoint =
    values.tokenEndpoint?.href ?? (authorityHost && tokenEndpointOf(authorityHost, tenantId));
  return { tokenEndpoint: endpoint ?? '', tenantId, clientId, scope: scope ?? '' };
}
