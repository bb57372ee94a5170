import { type ErrorCode, PgpassdError } from './errors.ts';
import { presentable } from './printable.ts';

/**
 * Something that can be wrong. `found` says what in one sentence without a full stop, `remedy` what
 * to do in another with one; both may name values as `{name}`. The README lists them as they are.
 */
export interface Cause<Found extends string = string, Remedy extends string = string> {
  /** What programs know it by. */
  readonly id: string;
  readonly code: ErrorCode;
  readonly found: Found;
  readonly remedy: Remedy;
}

export function cause<const F extends string, const R extends string>(
  id: string,
  code: ErrorCode,
  found: F,
  remedy: R,
): Cause<F, R> {
  return { id, code, found, remedy };
}

/** The names of the values in a text. */
type NamesIn<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

/** What a cause has to be told of the case at hand. */
export type ValuesOf<C> =
  C extends Cause<infer F, infer R>
    ? { readonly [N in NamesIn<F> | NamesIn<R>]: string | number }
    : never;

const LONGEST_VALUE = 1_000;

/** A value is never more than a piece of a line: sentences and SQL around it keep their shape. */
function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    presentable(String(values[name]), [], LONGEST_VALUE),
  );
}

/** A cause in the case at hand, in words for an operator. */
export interface Told {
  readonly cause: string;
  readonly code: ErrorCode;
  readonly found: string;
  readonly remedy: string;
}

export function tell<C extends Cause>(cause: C, values: ValuesOf<C>): Told {
  const { id, code, found, remedy } = cause;
  return { cause: id, code, found: fill(found, values), remedy: fill(remedy, values) };
}

export function errorOf({ code, found, remedy }: Told, options?: ErrorOptions): PgpassdError {
  return new PgpassdError(code, found, remedy, options);
}
