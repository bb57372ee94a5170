import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sharedSpans } from '../../src/support/shared-runs.ts';

/** The same, looked up one by one. */
function coveredOneByOne(text: string, other: string, length: number): boolean[] {
  const covered = Array.from(text, () => false);
  for (let at = 0; length > 0 && at + length <= text.length; at += 1) {
    if (other.includes(text.slice(at, at + length))) covered.fill(true, at, at + length);
  }
  return covered;
}

function coveredBySpans(text: string, other: string, length: number): boolean[] {
  const covered = Array.from(text, () => false);
  for (const { start, end } of sharedSpans(text, other, length)) covered.fill(true, start, end);
  return covered;
}

/** Few letters, so that runs are shared, and overlap with themselves. */
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ä'), maxLength: 60 });

describe('the runs that two texts share', () => {
  test('are those that are found one by one', () => {
    fc.assert(
      fc.property(text, text, fc.integer({ min: 1, max: 8 }), (one, other, length) => {
        expect(coveredBySpans(one, other, length)).toEqual(coveredOneByOne(one, other, length));
      }),
      { numRuns: 5_000 },
    );
  });

  test('are returned as the fewest spans, in order, none of them empty', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        let before = -1;
        for (const { start, end } of sharedSpans(one, other, 3)) {
          expect(start).toBeGreaterThan(before);
          expect(end).toBeGreaterThanOrEqual(start + 3);
          before = end;
        }
      }),
    );
  });

  test('are found where they overlap and where they repeat', () => {
    expect(sharedSpans('xxabcabcabxx', 'abcabc', 3)).toEqual([{ start: 2, end: 10 }]);
    expect(sharedSpans('aaaaaaaa', 'aaa', 3)).toEqual([{ start: 0, end: 8 }]);
    expect(sharedSpans('aaa', 'aaaaaaaa', 3)).toEqual([{ start: 0, end: 3 }]);
  });

  test.each([
    ['none', 'abc', 'xyz', 3],
    ['a text that is too short', 'ab', 'abab', 3],
    ['another that is too short', 'abab', 'ab', 3],
    ['runs of no length', 'abc', 'abc', 0],
    ['no text', '', '', 1],
  ])('are none with %s', (_case, one, other, length) => {
    expect(sharedSpans(one, other, length)).toEqual([]);
  });
});
