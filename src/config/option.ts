import { ValueError } from './values.ts';

export type CommandName = 'run' | 'once' | 'wait' | 'check';

/**
 * One setting: how it is written, where else it is read from, and how its text becomes a value.
 * Parsing, `--help`, the table of docs/settings.md and the "did you mean" errors all come from these.
 */
export interface Option<V> {
  /** What follows the flag, such as `PATH`; absent for a switch. */
  readonly placeholder?: string;
  readonly help: string;
  /** Variables of the ecosystem that are read after ours. */
  readonly alsoFrom?: readonly string[];
  /** As a user would write it. */
  readonly defaultText?: string;
  /** The default in words, where it is not one text. */
  readonly defaultNote?: string;
  /** What to do when it is not set; only a required setting has it. */
  readonly whenMissing?: string;
  /** Another setting that makes a required one unnecessary. */
  readonly unless?: string;
  readonly repeatable?: true;
  /** `$(NAME)` is the user's own, and no variable that Kubernetes should have replaced. */
  readonly verbatim?: true;
  /** Its text may hold a secret, and is never repeated. */
  readonly mayHoldSecret?: true;
  /** Another name for our variable, instead of the flag's. */
  readonly variable?: string;
  /** Who takes it, where that is not `run`, `once` and `check`, which look at the same things. */
  readonly commands?: readonly CommandName[];
  /** The value of the texts given, in order; throws ValueError. Without any, the default or `undefined`. */
  readonly read: (texts: readonly string[]) => V;
}

export type ValueOf<O> = O extends Option<infer V> ? V : never;

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

/** The same, when `unless` is not set either. */
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

/** Among several values a problem says which one it is about. */
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

export function takes(
  command: CommandName,
  { commands }: Pick<Option<unknown>, 'commands'>,
): boolean {
  return commands?.includes(command) ?? command !== 'wait';
}

/** `refreshFraction` is `--refresh-fraction`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `refreshFraction` is `PGPASSD_REFRESH_FRACTION`. */
export function variableOf(name: string, option: Pick<Option<unknown>, 'variable'>): string {
  return option.variable ?? `PGPASSD_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`;
}
