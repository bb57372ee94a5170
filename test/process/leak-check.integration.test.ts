import { describe, expect, test } from 'vitest';
import { findLeaks, PIECE_LENGTH } from '../support/leak-check.ts';
import { openWorkload } from './workload.ts';

describe('the check for leaks', () => {
  test('finds a piece from anywhere of any secret in what the program really prints', async () => {
    const { entra, start } = await openWorkload();
    const pgpassd = start(['once']);
    await pgpassd.exited;
    const secrets = entra.secrets();
    expect(secrets).toHaveLength(2);
    expect(findLeaks(pgpassd.output(), secrets)).toEqual([]);
    for (const secret of secrets) {
      for (const at of [0, 1, 500, secret.length - PIECE_LENGTH]) {
        const piece = secret.slice(at, at + PIECE_LENGTH);
        const [, line] = pgpassd.output().split('\n');
        expect(findLeaks(`${line} ${piece} ${line}`, secrets)).toContain(piece);
        expect(findLeaks(`${line} ${piece.slice(1)} ${line}`, secrets)).toEqual([]);
      }
    }
  });

  test('finds a short secret as a whole', () => {
    expect(findLeaks('password: hunter2!', ['hunter2'])).toEqual(['hunter2']);
    expect(findLeaks('password: hunter1', ['hunter2'])).toEqual([]);
  });

  test('names each secret that leaked, once', () => {
    const secrets = ['a'.repeat(40), 'b'.repeat(40), '0123456789abcdefghij'];
    const output = `${'a'.repeat(20)} ${'b'.repeat(15)} 123456789abcdefghi`;
    expect(findLeaks(output, secrets)).toEqual(['a'.repeat(16), '123456789abcdefg']);
  });

  test('takes no empty secret', () => {
    expect(() => findLeaks('', [''])).toThrow('empty');
  });
});
