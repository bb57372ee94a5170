import { ValueError } from './values.ts';

export type CommandName = 'run' | 'once' | 'wait' | 'check';

/** The environment variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The texts that the command line gives, in order, by the name of their option. */
export type GivenFlags = Readonly<Record<string, readonly string[]>>;

/**
 * One setting: how it is written, where else it is read from, and how its text becomes a value.
 * Parsing, the type of the configuration, `--help` and the reference of settings all come from it.
 */
export interface Option<V> {
  /** What follows the flag, such as `PATH`; absent for a switch. */
  readonly placeholder?: string;
  readonly help: string;
  /** Variables of other programs, which are read after ours. */
  readonly alsoFrom?: readonly string[];
  /** As a user would write it. */
  readonly defaultText?: string;
  /** A description of the default, where it is not one text. */
  readonly defaultNote?: string;
  /** What to do when it is not set; only a required setting has it. */
  readonly whenMissing?: string;
  /** Another setting that makes a required one unnecessary. */
  readonly unless?: string;
  readonly repeatable?: true;
  /** `$(NAME)` belongs to the value, and is no reference that Kubernetes should have replaced. */
  readonly verbatim?: true;
  /** Its text may hold a secret, and is never repeated. */
  readonly mayHoldSecret?: true;
  /** The name of our variable, where it is not made from the flag's. */
  readonly variable?: string;
  /** The commands that accept it: by default `run`, `once` and `check`, which look at the same things. */
  readonly acceptedBy?: readonly CommandName[];
  /** The commands that it makes a difference to, where those are fewer. */
  readonly usedBy?: readonly CommandName[];
  /**
   * The value of the texts given, in order; of none, the default or `undefined`.
   *
   * @throws ValueError
   */
  readonly read: (texts: readonly string[]) => V;
}

/** Options by their names. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of a table's options, by the same names. */
export type ValuesOf<T> = {
  readonly [N in keyof T]: T[N] extends Option<infer V> ? V : never;
};

type Wording = Omit<
  Option<unknown>,
  'read' | 'defaultText' | 'whenMissing' | 'unless' | 'repeatable'
>;

type Parse<T> = (text: string) => T;

export function optional<T>(parse: Parse<T>, wording: Wording): Option<T | undefined> {
  return { ...wording, read: ([text]) => (text === undefined ? undefined : parse(text)) };
}

export function withDefault<T>(defaultText: string, parse: Parse<T>, wording: Wording): Option<T> {
  return { ...wording, defaultText, read: ([text]) => parse(text ?? defaultText) };
}

/** `read` is called only when a text is given: a missing one is reported with `whenMissing`. */
export function required<T>(whenMissing: string, parse: Parse<T>, wording: Wording): Option<T> {
  return { ...wording, whenMissing, read: ([text]) => parse(text ?? '') };
}

/** Required when the option `unless` is not set either. */
export function requiredUnless<T>(
  unless: string,
  whenMissing: string,
  parse: Parse<T>,
  wording: Wording,
): Option<T | undefined> {
  return { ...optional(parse, wording), whenMissing, unless };
}

/** Each text stands for one value or more. */
export function list<T>(parse: Parse<readonly T[]>, wording: Wording): Option<readonly T[]> {
  return { ...wording, repeatable: true, read: (texts) => texts.flatMap(parseNumbered(parse)) };
}

/** Among several values, an error says which one it is about. */
function parseNumbered<T>(parse: Parse<T>): (text: string, index: number) => T {
  return (text, index) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      throw new ValueError(`value ${index + 1}: ${error.message}`);
    }
  };
}

export function accepts(
  command: CommandName,
  { acceptedBy }: Pick<Option<unknown>, 'acceptedBy'>,
): boolean {
  return acceptedBy?.includes(command) ?? command !== 'wait';
}

/** The flag of `refreshFraction` is `--refresh-fraction`, that of `timeoutMs` is `--timeout`. */
export function flagOf(name: string): string {
  const words = name.replace(/Ms$/, '');
  return `--${words.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Our variable: that of `refreshFraction` is `PGPASSD_REFRESH_FRACTION`. */
export function variableOf(name: string, option: Pick<Option<unknown>, 'variable'>): string {
  return option.variable ?? `PGPASSD_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

export function needsValue(given: string, { placeholder }: Option<unknown>): string {
  return `${given} needs a value: ${placeholder ?? 'true or false'}`;
}

/** Every variable that an option is read from, in order. */
export function variablesOf(name: string, option: Option<unknown>): readonly string[] {
  return [variableOf(name, option), ...(option.alsoFrom ?? [])];
}
