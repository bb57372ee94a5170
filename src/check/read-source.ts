import { type Config, readConfig } from '../config/config.ts';
import type { Environment, GivenFlag } from '../config/given.ts';
import { flagOf, variableOf } from '../config/option.ts';
import { type OptionName, options } from '../config/options.ts';

/** The settings that say how tokens are asked for. */
const settings = [
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

/** In place of the required settings that say where a token goes. */
const elsewhere: readonly GivenFlag[] = [
  { flag: '--passfile', value: '/pgpass/pgpass' },
  { flag: '--entry', value: 'host:*:*:user' },
];

/** How tokens are asked for, if these settings are whole, however wrong the others are. */
export function readSource(
  flags: readonly GivenFlag[],
  env: Environment,
): Config['source'] | undefined {
  const ownFlags = settings.map(flagOf);
  const ownVariables = settings.map((name) => variableOf(name, options[name]));
  const given = flags.filter(({ flag }) => ownFlags.includes(flag));
  const variables = Object.entries(env).filter(
    ([name]) => !name.startsWith('PGPASSD_') || ownVariables.includes(name),
  );
  return readConfig([...given, ...elsewhere], Object.fromEntries(variables), 'check').config
    ?.source;
}
