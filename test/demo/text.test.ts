import { expect, test } from 'vitest';
import { clip, wrap } from './text.ts';

test.each([
  ['one two three', 7, ['one two', 'three']],
  ['one', 3, ['one']],
  ['', 10, ['']],
  ['abcdefgh ij', 3, ['abc', 'def', 'gh', 'ij']],
  ['line\nbreaks  and blanks', 80, ['line breaks and blanks']],
])('%j in %i columns', (text, columns, lines) => {
  expect(wrap(text, columns)).toEqual(lines);
});

test('what is clipped says so', () => {
  expect(clip('abcdef', 6)).toBe('abcdef');
  expect(clip('abcdefg', 6)).toBe('abcde…');
});
