import { type ErrorCode, PgpassdError, type PgpassdErrorOptions } from './errors.ts';
import { presentable } from './printable.ts';

/** What went wrong, for an operator. */
export interface Failure {
  /** What programs know it by. */
  readonly id: string;
  readonly code: ErrorCode;
  /** What is wrong, in one sentence without a full stop. */
  readonly found: string;
  /** What to do about it, in a sentence with one; lines of SQL may follow. */
  readonly remedy: string;
}

/** What a failure names: hosts, paths, numbers with their units. */
export type Values<Name extends string = string> = Readonly<Record<Name, string | number>>;

/** Makes the failures of one kind. The list of all kinds in the documents is made from `pattern`. */
export interface FailureKind<Name extends string = string> {
  (...values: [Name] extends [never] ? [] : [values: Values<Name>]): Failure;
  /** With `{name}` in the place of each value. */
  readonly pattern: Failure;
}

/**
 * Defines a kind of failure by its sentences. An `id` is unique, and stays as it is once released.
 *
 * @example
 * const missing = failure<'path'>('passfile-missing', 'passfile.missing', ({ path }) => ({
 *   found: `the passfile ${path} does not exist`,
 *   remedy: 'Check that …',
 * }));
 */
export function failure<Name extends string = never>(
  id: string,
  code: ErrorCode,
  explain: (values: Values<Name>) => Pick<Failure, 'found' | 'remedy'>,
): FailureKind<Name> {
  const names = new Proxy({} as Values<Name>, { get: (_, name) => `{${String(name)}}` });
  const make = (...[values]: readonly Values<Name>[]): Failure => ({
    id,
    code,
    ...explain(values === undefined ? ({} as Values<Name>) : onOneLine(values)),
  });
  return Object.assign(make, { pattern: { id, code, ...explain(names) } });
}

const LONGEST_VALUE = 1_000;

/** A value is never more than a piece of a line, so that sentences and SQL around it keep their shape. */
function onOneLine<Name extends string>(values: Values<Name>): Values<Name> {
  const entries = Object.entries<string | number>(values);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, presentable(String(value), [], LONGEST_VALUE)]),
  ) as Values<Name>;
}

export function errorOf(
  { code, found, remedy }: Failure,
  options?: PgpassdErrorOptions,
): PgpassdError {
  return new PgpassdError(code, found, remedy, options);
}
