import { expect, test } from 'vitest';
import { parseEntries } from '../../src/config/entry.ts';
import { outcomeOf } from './outcome.ts';

test.each([
  ...['%41', '%', ',', ':', '@', '/', '&', '&a=', '=', '[', ']', ' '].map(
    (part) => `postgresql://u@h${part.repeat(200_000)}`,
  ),
  ...[' ', '\\', "'", '=', 'a=b ', "a=''", 'a', '\\:', ':'].map(
    (part) => `host=${part.repeat(200_000)}`,
  ),
  'a '.repeat(200_000),
  'a'.repeat(200_000),
  ' '.repeat(200_000),
  ':'.repeat(200_000),
])('a text takes no longer than it is long (%#)', (text) => {
  const start = performance.now();
  outcomeOf(() => parseEntries(text));
  // A scan that starts over at every character would take minutes.
  expect(performance.now() - start).toBeLessThan(5_000);
});
