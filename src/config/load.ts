import { ANY, type Entry } from '../passfile/format.ts';
import type { PgpassdError } from '../support/errors.ts';
import { entriesFromPgVariables, PG_VARIABLES } from './entry.ts';
import { seeHelp } from './help.ts';
import type { CommandName, Environment, GivenFlags, ValuesOf } from './option.ts';
import {
  type OptionGroups,
  type OptionsIn,
  type OptionValues,
  optionGroups,
  optionsIn,
} from './options.ts';
import { invalidSettings, type Problem, readOptions } from './read-options.ts';
import { everyMisplacedIn, misplacedIn } from './secrets.ts';
import { type SourceSettings, sourceOf } from './source.ts';
import { refusePlaceholder, refuseQuotes, ValueError } from './values.ts';

/** The groups whose values a `Config` holds as they are read. */
const plainGroups = ['common', 'passfile', 'timing', 'observing'] as const;

/** The options of those groups that a `Config` holds only as `entries`. */
const entryOptions = ['entry', 'allowWildcardHost'] as const;

/** The configuration that a table of options makes. */
export type ConfigOf<G extends OptionGroups> = Omit<
  ValuesOf<OptionsIn<Pick<G, (typeof plainGroups)[number]>>>,
  (typeof entryOptions)[number]
> & {
  /** Empty when there is a template. */
  readonly entries: readonly Entry[];
  readonly source: SourceSettings;
};

/** Everything `run`, `once` and `check` need to know; nothing in it is secret. */
export interface Config extends ConfigOf<OptionGroups> {}

/** What can be said of a configuration, whether or not it is complete. */
export interface ConfigReading<C = Config> {
  /** Settings that could not be read, or are missing, are absent. */
  readonly values: Partial<OptionValues>;
  readonly entries: readonly Entry[];
  /** Absent unless the settings that it is made of are complete. */
  readonly source: SourceSettings | undefined;
  /** Absent when there are problems. */
  readonly config: C | undefined;
  readonly problems: readonly Problem[];
}

/**
 * The configuration that flags and environment make.
 *
 * @throws PgpassdError `config.invalid` with every problem at once, one per line
 */
export function loadConfig(flags: GivenFlags, env: Environment, command: CommandName): Config {
  const { config, problems } = readConfig(flags, env, command);
  if (config === undefined) throw invalid(problems, command);
  return config;
}

/** What `wait` needs to know, in a container that may have no settings for Azure. */
export interface WaitConfig
  extends Pick<Config, 'passfile' | 'timeoutMs' | 'minValidityMs' | 'entries'> {}

/**
 * The configuration of `wait`; without entries, every line of the file counts.
 *
 * @throws PgpassdError `config.invalid` with every problem at once, one per line
 */
export function loadWaitConfig(flags: GivenFlags, env: Environment): WaitConfig {
  const read = readOptions(optionsIn(optionGroups), flags, env, 'wait');
  const values = read.values as Partial<OptionValues>;
  const named = values.entry ?? [];
  // An application may set some of libpq's variables only, and give the rest itself.
  const isClientComplete = (env['PGHOST'] || env['PGHOSTADDR']) && env['PGUSER'];
  const { entries, problems: ofEntries } =
    named.length > 0 || !isClientComplete ? { entries: named, problems: [] } : readPgVariables(env);
  const problems = [...read.problems, ...ofEntries];
  if (problems.length > 0) throw invalid(problems, 'wait');
  // Without problems every setting has its value.
  const { passfile, timeoutMs, minValidityMs } = values as OptionValues;
  return { passfile, timeoutMs, minValidityMs, entries };
}

function invalid(problems: readonly Problem[], command: CommandName): PgpassdError {
  return invalidSettings(
    problems.map(({ text }) => text),
    seeHelp(command),
  );
}

/** The same, with problems and what could be read beside them, which `check` looks at. */
export function readConfig<G extends OptionGroups = OptionGroups>(
  flags: GivenFlags,
  env: Environment,
  command: CommandName,
  groups: G = optionGroups as G,
): ConfigReading<ConfigOf<G>> {
  const read = readOptions(optionsIn<OptionGroups>(groups), flags, env, command);
  const values = read.values as Partial<OptionValues>;
  const { entries, problems: ofEntries } = entriesOf(values, env);
  const { source, problems: ofSource } = sourceOf(values, env);
  const ofSettings = [...read.problems, ...ofEntries, ...ofSource];
  const problems = [
    ...ofSettings,
    ...misplacedBeside(ofSettings, env, command),
    ...pathProblems(values, command),
    ...modeProblems(values),
  ];
  const found = { values, entries, source, problems };
  if (problems.length > 0 || source === undefined) return { ...found, config: undefined };
  const config = Object.freeze({ ...plainValues(groups, read.values), entries, source });
  return { ...found, config: config as ConfigOf<G> };
}

function plainValues(groups: OptionGroups, values: Readonly<Record<string, unknown>>): object {
  const names = plainGroups.flatMap((group) => Object.keys(groups[group]));
  const own = names.filter((name) => !entryOptions.some((each) => each === name));
  return Object.fromEntries(own.map((name) => [name, values[name]]));
}

/** The variables of other programs that the command reads beside our settings; `check` quotes many. */
function misplacedBeside(
  problems: readonly Problem[],
  env: Environment,
  command: CommandName,
): readonly Problem[] {
  const caCertificates = 'NODE_EXTRA_CA_CERTS';
  const misplaced =
    command === 'check'
      ? everyMisplacedIn(env)
      : new Map([[caCertificates, misplacedIn(caCertificates, env)]]);
  return [...misplaced].flatMap(([given, text]): Problem[] => {
    const isReported = problems.some((problem) => problem.given === given);
    return text === undefined || isReported ? [] : [{ kind: 'invalid', given, text }];
  });
}

/** The commands that write the passfile. */
const writers: readonly CommandName[] = ['run', 'once'];

function pathProblems(
  { passfile }: Partial<OptionValues>,
  command: CommandName,
): readonly Problem[] {
  if (passfile === undefined || passfile.startsWith('/') || !writers.includes(command)) return [];
  const text =
    '--passfile (PGPASSFILE) is a relative path, which each container would resolve against its own working directory: begin it with /';
  return [{ kind: 'invalid', option: 'passfile', text }];
}

function modeProblems({ connect, offline }: Partial<OptionValues>): readonly Problem[] {
  if (!connect || !offline) return [];
  const text = '--connect and --offline exclude each other: keep one of them';
  return [{ kind: 'conflict', option: 'connect', text }];
}

interface ReadEntries {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

function entriesOf(values: Partial<OptionValues>, env: Environment): ReadEntries {
  const none = (...problems: Problem[]): ReadEntries => ({ entries: [], problems });
  // It could not be read, which is a problem already.
  if (values.entry === undefined) return none();
  if (values.template !== undefined) {
    if (values.entry.length === 0) return none();
    const text = '--template and --entry (PGPASSD_ENTRIES) exclude each other: keep one of them';
    return none({ kind: 'conflict', option: 'template', text });
  }
  const { entries, problems } =
    values.entry.length > 0 ? { entries: values.entry, problems: [] } : entriesOfEnvironment(env);
  if (values.allowWildcardHost !== false || entries.every(({ host }) => host !== ANY)) {
    return { entries, problems };
  }
  const text =
    '--entry with * as host sends the token to any server a client is pointed at; name the host, or add --allow-wildcard-host';
  return { entries, problems: [...problems, { kind: 'conflict', option: 'entry', text }] };
}

function entriesOfEnvironment(env: Environment): ReadEntries {
  const missing = (text: string): ReadEntries => ({
    entries: [],
    problems: [{ kind: 'missing', option: 'entry', text }],
  });
  if (!env['PGHOST'] && !env['PGHOSTADDR']) {
    return missing(
      '--entry (PGPASSD_ENTRIES) is not set: name what the token is for, as host:port:database:user, or set PGHOST and PGUSER',
    );
  }
  if (!env['PGUSER']) {
    return missing(
      'PGUSER is not set, and --entry (PGPASSD_ENTRIES) is not set either: name the user that the token is for',
    );
  }
  return readPgVariables(env);
}

/** A value from a Secret often ends with the line break of the file that it was made from. */
function refuseInVariable(name: string, text: string): void {
  refusePlaceholder(text);
  refuseQuotes(text);
  if (/[\r\n]$/.test(text)) throw new ValueError(`remove the line break at the end of ${name}`);
  if (name === 'PGHOST' && /^[^:,/]+:\d+$/.test(text)) {
    throw new ValueError('PGHOST contains a port; set PGPORT to it');
  }
}

function readPgVariables(env: Environment): ReadEntries {
  const names = Object.keys(PG_VARIABLES);
  const misplaced = names.flatMap((given): Problem[] => {
    const text = misplacedIn(given, env);
    return text === undefined ? [] : [{ kind: 'invalid', given, text }];
  });
  if (misplaced.length > 0) return { entries: [], problems: misplaced };
  try {
    for (const name of names) refuseInVariable(name, env[name] ?? '');
    return { entries: entriesFromPgVariables(env), problems: [] };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const text = `${names.join(', ')}: ${error.message}`;
    return { entries: [], problems: [{ kind: 'invalid', option: 'entry', text }] };
  }
}
