import leven from 'leven';
import { errorOf, type PgpassdError } from '../support/errors.ts';
import {
  accepts,
  type CommandName,
  type Environment,
  flagOf,
  type GivenFlags,
  needsValue,
  type Option,
  type OptionTable,
  variableOf,
  variablesOf,
} from './option.ts';
import { refuseSecret } from './secrets.ts';
import { refusePlaceholder, refuseQuotes, ValueError } from './values.ts';

/** One thing that is wrong with a configuration. What to do about it depends on the fields, not on the text. */
export interface Problem {
  /**
   * `unknown`: a variable that is no setting; `missing`: not set; `invalid`: a value that cannot be used;
   * `conflict`: a value that cannot be used with another setting.
   */
  readonly kind: 'unknown' | 'missing' | 'invalid' | 'conflict';
  /** The name of the option, where it is about one of ours. */
  readonly option?: string;
  /** The flag or the variable that holds the text in question. */
  readonly given?: string;
  /** One sentence for an operator, without a full stop. */
  readonly text: string;
}

export interface ReadOptions {
  /** By name; options that could not be read are absent, and have a problem. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
}

/**
 * Reads every option that a command accepts: from the flag, else from our variable, else from those of
 * other programs, else the default. Variables for other commands are no problem: containers share them.
 */
export function readOptions(
  table: OptionTable,
  flags: GivenFlags,
  env: Environment,
  command: CommandName,
): ReadOptions {
  const problems = unknownVariables(table, env);
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    if (!accepts(command, option)) continue;
    const { given, texts } = givenTexts(name, option, flags, env);
    if (texts.length === 0 && option.whenMissing !== undefined) {
      if (!isGiven(option.unless, table, flags, env)) {
        problems.push({ kind: 'missing', option: name, text: notSet(name, option) });
      }
      continue;
    }
    if (texts.includes('')) {
      const text = needsValue(given, option);
      problems.push({ kind: 'invalid', option: name, given, text });
      continue;
    }
    try {
      values[name] = readOption(option, texts);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const text = `${given}: ${error.message}`;
      problems.push({ kind: 'invalid', option: name, given, text });
    }
  }
  return { values, problems };
}

/** @throws ValueError without any part of the text, which may hold a password by mistake */
function readOption(option: Option<unknown>, texts: readonly string[]): unknown {
  if (!option.verbatim) texts.forEach(refusePlaceholder);
  const value = option.read(texts);
  if (!option.verbatim) texts.forEach(refuseQuotes);
  if (!option.mayHoldSecret) texts.forEach(refuseSecret);
  return value;
}

interface GivenTexts {
  /** The flag, or the variable. */
  readonly given: string;
  readonly texts: readonly string[];
}

function givenTexts(
  name: string,
  option: Option<unknown>,
  flags: GivenFlags,
  env: Environment,
): GivenTexts {
  const fromFlags = flags[name];
  if (fromFlags !== undefined) {
    return { given: flagOf(name), texts: option.repeatable ? fromFlags : fromFlags.slice(-1) };
  }
  for (const variable of variablesOf(name, option)) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const texts = option.repeatable ? text.split(/\r?\n/).filter((line) => line !== '') : [text];
    return { given: variable, texts };
  }
  return { given: flagOf(name), texts: [] };
}

function isGiven(
  name: string | undefined,
  table: OptionTable,
  flags: GivenFlags,
  env: Environment,
): boolean {
  const option = name === undefined ? undefined : table[name];
  if (name === undefined || option === undefined) return false;
  return givenTexts(name, option, flags, env).texts.length > 0;
}

function notSet(name: string, option: Option<unknown>): string {
  const variables = [...(option.alsoFrom ?? []), variableOf(name, option)].join(', ');
  return `${flagOf(name)} (${variables}) is not set: ${option.whenMissing}`;
}

const PREFIX = 'PGPASSD_';

/**
 * A Service called `pgpassd`, or `pgpassd-metrics`, makes Kubernetes set variables of these forms in every pod of the
 * namespace: https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
 */
const SERVICE_LINK =
  /^PGPASSD_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

function unknownVariables(table: OptionTable, env: Environment): Problem[] {
  const known = Object.entries(table).map(([name, option]) => variableOf(name, option));
  const unknown = Object.keys(env)
    .filter((variable) => variable.startsWith(PREFIX) && !SERVICE_LINK.test(variable))
    .filter((variable) => !known.includes(variable));
  const others = `variables that begin with ${PREFIX} and are no settings`;
  const sentences = sentencesFor(unknown, others, (variable) => {
    const name = /^[A-Z\d_]{1,64}$/.test(variable)
      ? variable
      : quotable(variable, known, `a variable that begins with ${PREFIX}`);
    return `${name} is not a setting${didYouMean(variable, known, PREFIX)}`;
  });
  return sentences.map((text) => ({ kind: 'unknown', text }));
}

/** A known word is near if at most this many characters are wrong, and more than this share is right. */
const MOST_EDITS = 3;
const LEAST_SIMILARITY = 0.4;

/** Anything shorter is the beginning of too many words. */
const SHORTEST_BEGINNING = 3;

/** The known word that was probably meant, if one is near. `prefix` begins all of them, and is not compared. */
export function suggestionFor(
  word: string,
  known: readonly string[],
  prefix = '',
): string | undefined {
  const [, typed = ''] = new RegExp(`^(?:${prefix})?([\\w-]{0,64})`, 'i').exec(word) ?? [];
  const candidates = known.map((each) => {
    const name = each.slice(prefix.length);
    return { each, name, edits: leven(typed, name) };
  });
  const near = candidates
    .filter(({ name, edits }) => isNear(edits, Math.max(typed.length, name.length)))
    .toSorted((one, other) => one.edits - other.edits);
  const begun = candidates.filter(({ name }) => name.startsWith(typed));
  const [nearest] = near.length > 0 || typed.length < SHORTEST_BEGINNING ? near : begun;
  return nearest?.each;
}

function isNear(edits: number, length: number): boolean {
  return edits <= MOST_EDITS && (length - edits) / length > LEAST_SIMILARITY;
}

/** `; did you mean X?` where something is near. */
export function didYouMean(word: string, known: readonly string[], prefix?: string): string {
  const suggestion = suggestionFor(word, known, prefix);
  return suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
}

/** Anything shorter is no secret. */
const LONGEST_UNKNOWN = 15;

/**
 * A word as we may repeat it: a plain one that is short, or a known one misspelt. Anything else might
 * be a password, or an entry that holds one, and is called `otherwise`.
 */
export function quotable(word: string, known: readonly string[], otherwise: string): string {
  if (!/^[\w-]{1,64}$/.test(word)) return otherwise;
  const isKnown = word.length <= LONGEST_UNKNOWN || suggestionFor(word, known) !== undefined;
  return isKnown ? word : otherwise;
}

/** The error to throw for settings or arguments with these problems, one per line. */
export function invalidSettings(problems: readonly string[], remedy: string): PgpassdError {
  const found = problems.join('\n');
  return errorOf({ id: 'invalid-settings', code: 'config.invalid', found, remedy });
}

/** An environment may hold thousands of unknown variables. */
const MOST_LISTED = 20;

/** A sentence for each of the first words, and one for the number of `others`. */
export function sentencesFor(
  words: readonly string[],
  others: string,
  sentenceFor: (word: string) => string,
): readonly string[] {
  const more = words.length - MOST_LISTED;
  const sentences = words.slice(0, MOST_LISTED).map(sentenceFor);
  return more > 0 ? [...sentences, `there are ${more} more ${others}`] : sentences;
}
