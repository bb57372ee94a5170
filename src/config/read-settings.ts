import leven from 'leven';
import type { Environment, GivenFlag } from './given.ts';
import { refuseSecret } from './misplaced.ts';
import { type CommandName, flagOf, type Option, takes, variableOf } from './option.ts';
import { type OptionName, type OptionValues, options } from './options.ts';
import { Problems } from './problems.ts';
import { unexpandedReference } from './unexpanded.ts';
import { ValueError } from './values.ts';

export interface Settings {
  /** Settings that could not be read are absent, and told in `problems`. */
  readonly values: Partial<OptionValues>;
  readonly problems: Problems;
}

const names = Object.keys(options) as OptionName[];

/**
 * A Service called `pgpassd`, or `pgpassd-metrics`, makes Kubernetes set variables of these shapes in every pod of the
 * namespace: https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
 */
const SERVICE_LINK =
  /^PGPASSD_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/**
 * Reads every setting of a command: flag, then our variable, then the ecosystem's own, then the
 * default. Variables for other commands are no problem: containers share them.
 */
export function readSettings(
  flags: readonly GivenFlag[],
  env: Environment,
  command: CommandName,
): Settings {
  const problems = new Problems();
  for (const text of [...unknownFlags(flags, command), ...unknownVariables(env)])
    problems.add(text);
  const values: Partial<Record<OptionName, unknown>> = {};
  for (const name of namesOf(command)) {
    const option: Option<unknown> = options[name];
    const given = givenTexts(name, option, flags, env);
    if (given.texts.length === 0 && option.whenMissing !== undefined) {
      if (!isGiven(option.unless, flags, env)) problems.addMissing(notSet(name, option));
      continue;
    }
    const unusable = unusableTexts(given, option);
    if (unusable !== undefined) {
      problems.add(unusable);
      continue;
    }
    try {
      const value = option.read(given.texts);
      if (!option.mayHoldSecret) given.texts.forEach(refuseSecret);
      values[name] = value;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      // The text itself is left out: somebody may have put a password into it.
      problems.add(`${given.source}: ${error.message}`);
    }
  }
  return { values: values as Partial<OptionValues>, problems };
}

function namesOf(command: CommandName): OptionName[] {
  return names.filter((name) => takes(command, options[name]));
}

interface GivenTexts {
  readonly source: string;
  readonly texts: readonly string[];
}

function givenTexts(
  name: OptionName,
  option: Option<unknown>,
  flags: readonly GivenFlag[],
  env: Environment,
): GivenTexts {
  const flag = flagOf(name);
  const fromFlags = flags.filter((each) => each.flag === flag);
  if (fromFlags.length > 0) {
    const bare = option.placeholder === undefined ? 'true' : '';
    const texts = fromFlags.map(({ value }) => value ?? bare);
    return { source: flag, texts: option.repeatable ? texts : texts.slice(-1) };
  }
  for (const variable of [variableOf(name, option), ...(option.alsoFrom ?? [])]) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const texts = option.repeatable ? text.split(/\r?\n/).filter((line) => line !== '') : [text];
    return { source: variable, texts };
  }
  return { source: flag, texts: [] };
}

function unusableTexts({ source, texts }: GivenTexts, option: Option<unknown>): string | undefined {
  if (texts.includes(''))
    return `${source} needs a value: ${option.placeholder ?? 'true or false'}`;
  const unexpanded = option.verbatim ? undefined : texts.map(unexpandedReference).find(Boolean);
  return unexpanded && `${source}: ${unexpanded}`;
}

function isGiven(name: string | undefined, flags: readonly GivenFlag[], env: Environment): boolean {
  const known = names.find((each) => each === name);
  return known !== undefined && givenTexts(known, options[known], flags, env).texts.length > 0;
}

function notSet(name: OptionName, option: Option<unknown>): string {
  const others = [...(option.alsoFrom ?? []), variableOf(name, option)].join(', ');
  return `${flagOf(name)} (${others}) is not set: ${option.whenMissing}`;
}

function unknownFlags(flags: readonly GivenFlag[], command: CommandName): string[] {
  const known = namesOf(command).map(flagOf);
  const others = names.map(flagOf);
  return few(
    flags.map(({ flag }) => flag).filter((flag) => !known.includes(flag)),
    'arguments that are no settings',
    (flag) => {
      if (others.includes(flag)) return `${flag} is not a setting of pgpassd ${command}`;
      return flag.startsWith('-')
        ? `${quotable(flag, known, 'an argument that begins with -')} is not a setting; did you mean ${nearest(flag, known)}?`
        : `${quotable(flag)}: no setting takes this argument`;
    },
  );
}

function unknownVariables(env: Environment): string[] {
  const known = names.map((name) => variableOf(name, options[name]));
  const unknown = Object.keys(env)
    .filter((variable) => variable.startsWith('PGPASSD_') && !SERVICE_LINK.test(variable))
    .filter((variable) => !known.includes(variable));
  return few(unknown, 'variables that begin with PGPASSD_ and are no settings', (variable) => {
    const name = /^[A-Z\d_]{1,64}$/.test(variable)
      ? variable
      : quotable(variable, known, 'a variable that begins with PGPASSD_');
    return `${name} is not a setting; did you mean ${nearest(variable, known)}?`;
  });
}

/** Of words that are no settings: an environment may hold thousands. */
const MOST_TOLD = 20;

function few(words: readonly string[], others: string, say: (word: string) => string): string[] {
  const more = words.length - MOST_TOLD;
  const told = words.slice(0, MOST_TOLD).map(say);
  return more > 0 ? [...told, `there are ${more} more ${others}`] : told;
}

/** What is shorter is no secret. */
const LONGEST_UNKNOWN = 15;

/** A longer word is repeated when so few of its characters are wrong. */
const MOST_WRONG_SHARE = 0.4;

/**
 * A word as we may repeat it: a plain one that is short, or a known one misspelt. Anything else might
 * be a password, or an entry that holds one.
 */
export function quotable(
  word: string,
  known: readonly string[] = [],
  otherwise = 'an argument',
): string {
  const isPlain = /^[\w-]{1,64}$/.test(word);
  const isMisspelt = () => leven(word, nearest(word, known)) <= MOST_WRONG_SHARE * word.length;
  return isPlain && (word.length <= LONGEST_UNKNOWN || isMisspelt()) ? word : otherwise;
}

/** The known word with the fewest edits from the plain beginning of `word`. */
export function nearest(word: string, known: readonly string[]): string {
  const [beginning = ''] = /^[\w-]{0,64}/.exec(word) ?? [];
  const edits = new Map(known.map((each) => [each, leven(beginning, each)]));
  return known.toSorted((one, other) => (edits.get(one) ?? 0) - (edits.get(other) ?? 0))[0] ?? '';
}
