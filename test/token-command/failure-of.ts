import { inspect } from 'node:util';
import { expect } from 'vitest';
import { PgpassdError } from '../../src/support/errors.ts';
import { findLeaks } from '../support/leak-check.ts';

/** The error that `work` ends with, which shows no piece of `secrets` in any way it can be printed. */
export async function failureOf(
  work: () => unknown,
  secrets: readonly string[] = [],
): Promise<PgpassdError> {
  const error = await (async () => work())().then(
    () => expect.unreachable('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof PgpassdError)) throw error;
  const shown = [error.message, error.remedy, error.stack, JSON.stringify(error), inspect(error)];
  expect(findLeaks(shown.join('\n'), secrets)).toEqual([]);
  return error;
}
