import { describe, expect, test } from 'vitest';
import { summarize } from './summary.ts';
import { emptyTally, type Tally } from './tally.ts';
import { type Course, objections, rotationRuleFor } from './verdict.ts';

function tallyWith(rotations: number, ok: number, failed = 0): Tally {
  const connects = { ...emptyTally.connects, ok, failed, shortestMs: 20, longestMs: 90 };
  return { ...emptyTally, accessTokenRotations: rotations, connects };
}

const stopped = { code: 0, signal: null, stderr: '' };
const good: Course = {
  client: 'psql',
  tally: tallyWith(5, 50),
  watchedMs: 25_000,
  ending: 'as asked',
  daemon: stopped,
};
const withoutToken = { ...good, tally: tallyWith(0, 0), watchedMs: undefined };

test.each([
  [0, 0],
  [5_999, 0],
  [6_000, 1],
  [19_999, 1],
  [20_000, 3],
  [3_600_000, 3],
])('a run of %i ms calls for %i rotations', (watchedMs, rotations) => {
  expect(rotationRuleFor(watchedMs).rotations).toBe(rotations);
});

describe('nothing speaks against', () => {
  test.each<[string, Course]>([
    ['a long run', good],
    ['just enough rotations', { ...good, tally: tallyWith(3, 50) }],
    ['a shorter run', { ...good, watchedMs: 12_000, tally: tallyWith(1, 20) }],
    ['one stopped within seconds', { ...good, watchedMs: 3_000, tally: tallyWith(0, 5) }],
  ])('%s', (_, course) => {
    expect(objections(course)).toEqual([]);
    expect(summarize(course).join('\n')).toMatch(/^Shown: /m);
  });
});

describe('it speaks against', () => {
  test.each<[string, Course, string]>([
    ['one failed connect', { ...good, tally: tallyWith(5, 49, 1) }, '1 of 50 connects by psql'],
    ['too few rotations', { ...good, tally: tallyWith(2, 50) }, 'rotated 2 times instead of 3'],
    [
      'no rotation at all',
      { ...good, watchedMs: 12_000, tally: tallyWith(0, 20) },
      'rotated 0 times instead of 1',
    ],
    ['no connect', { ...good, watchedMs: 100, tally: tallyWith(0, 0) }, 'nothing was shown'],
    ['no first token', { ...withoutToken, ending: 'no token' }, 'no token in place within 10 s'],
    ['a stop before the first token', withoutToken, 'nothing was shown'],
    [
      'a pgpassd that ended by itself',
      { ...withoutToken, ending: 'daemon ended', daemon: { ...stopped, code: 2 } },
      'pgpassd ended by itself, with exit code 2',
    ],
    [
      'a pgpassd that ended by itself, if without complaint',
      { ...good, ending: 'daemon ended' },
      'pgpassd ended by itself, with exit code 0',
    ],
    [
      'a pgpassd that had to be killed',
      { ...good, daemon: { ...stopped, code: null, signal: 'SIGKILL' } },
      'pgpassd ended with SIGKILL on SIGTERM',
    ],
  ])('%s', (_, course, reason) => {
    expect(objections(course)).toEqual([expect.stringContaining(reason)]);
    expect(summarize(course).join('\n')).toMatch(/^Not shown: /m);
  });
});

test('the summary of a failure says what pgpassd, its remedy and the client had to say', () => {
  const tally = {
    ...tallyWith(5, 48, 2),
    lastTrouble: { message: 'Entra refused it.', remedy: 'Look there.' },
  };
  const lastError = 'FATAL: The access token has expired.';
  const course = { ...good, tally: { ...tally, connects: { ...tally.connects, lastError } } };
  const summary = summarize(course);
  expect(summary).toContain('pgpassd said      Entra refused it.');
  expect(summary).toContain('remedy            Look there.');
  expect(summary).toContain(`psql said         ${lastError}`);
});

test('the summary fits 80 columns', () => {
  const daemon = { code: 2, signal: null, stderr: 'pgpassd: something is wrong. '.repeat(9) };
  const course: Course = { ...good, tally: tallyWith(1, 48, 2), ending: 'daemon ended', daemon };
  for (const line of summarize(course)) expect(line.length).toBeLessThanOrEqual(80);
});
