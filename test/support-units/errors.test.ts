import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { asPgpassdError, PgpassdError, systemErrorCode } from '../../src/support/errors.ts';

const known = new PgpassdError('entra.refused', 'Entra refused the exchange', 'Ask an operator.', {
  cause: 'a cause',
  details: { aadsts: 'AADSTS700213' },
});

describe('an error', () => {
  test('says what failed, what to do about it, and why', () => {
    expect(known).toBeInstanceOf(Error);
    expect(known).toMatchObject({
      name: 'PgpassdError',
      code: 'entra.refused',
      message: 'Entra refused the exchange',
      remedy: 'Ask an operator.',
      details: { aadsts: 'AADSTS700213' },
      cause: 'a cause',
    });
  });

  test('has no details unless they are given', () => {
    expect(new PgpassdError('internal', 'it broke', 'Report it.').details).toEqual({});
  });

  test('of ours is passed on as it is', () => {
    expect(asPgpassdError(known)).toBe(known);
  });

  test.each<[string, unknown, string]>([
    ['an error', new TypeError('x is not a function'), 'internal error: x is not a function'],
    ['a text', 'it broke', 'internal error: it broke'],
    ['nothing', undefined, 'internal error: undefined'],
  ])(
    'that is unforeseen, such as %s, is internal and keeps its cause',
    (_case, thrown, message) => {
      const error = asPgpassdError(thrown);
      expect(error).toMatchObject({ code: 'internal', message, cause: thrown });
      expect(error.remedy).toContain('report');
    },
  );
});

describe("the system's code", () => {
  test('of an error of the file system is its name', async () => {
    const error: unknown = await readFile('/nowhere/at/all').catch((thrown: unknown) => thrown);
    expect(systemErrorCode(error)).toBe('ENOENT');
  });

  test.each<[string, unknown]>([
    ['an error without one', new Error('it broke')],
    ['an error with a number', Object.assign(new Error('it broke'), { code: 7 })],
    ['what is no error', { code: 'ENOENT' }],
    ['nothing', undefined],
  ])('of %s is absent', (_case, error) => {
    expect(systemErrorCode(error)).toBeUndefined();
  });
});
