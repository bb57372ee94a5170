import type { Entry } from '../passfile/format.ts';
import { PgpassdError } from '../support/errors.ts';
import { readPgVariables, seeHelp } from './config.ts';
import type { Environment, GivenFlag } from './given.ts';
import type { OptionValues } from './options.ts';
import type { Problems } from './problems.ts';
import { readSettings } from './read-settings.ts';

export interface WaitConfig {
  readonly passfile: string;
  /** Empty when nobody says whom to wait for: then every line of the file counts. */
  readonly entries: readonly Entry[];
  readonly timeoutMs: number;
  readonly minValidityMs: number;
}

/**
 * What `wait` needs to know, in a container that may know nothing of Azure.
 *
 * @throws PgpassdError `config.invalid` with every problem at once, one a line
 */
export function loadWaitConfig(flags: readonly GivenFlag[], env: Environment): WaitConfig {
  const { values, problems } = readSettings(flags, env, 'wait');
  const named = values.entry ?? [];
  const entries = named.length > 0 ? named : entriesOfClient(env, problems);
  if (problems.texts.length > 0) {
    throw new PgpassdError('config.invalid', problems.texts.join('\n'), seeHelp('wait'));
  }
  // Without problems every setting has its value.
  const { passfile, timeout, minValidity } = values as OptionValues;
  return { passfile, entries, timeoutMs: timeout, minValidityMs: minValidity };
}

/** An application may set some of libpq's variables only, and say the rest itself. */
function entriesOfClient(env: Environment, problems: Problems): readonly Entry[] {
  const complete = (env['PGHOST'] || env['PGHOSTADDR']) && env['PGUSER'];
  return complete ? readPgVariables(env, problems) : [];
}
