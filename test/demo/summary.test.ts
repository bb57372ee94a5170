import { describe, expect, test } from 'vitest';
import { type Outcome, problemsOf, summarize } from './summary.ts';
import { emptyTally, type Tally } from './tally.ts';

function tallyWith(rotations: number, ok: number, failed = 0): Tally {
  const connects = { ...emptyTally.connects, ok, failed, shortestMs: 20, longestMs: 90 };
  return { ...emptyTally, accessTokenRotations: rotations, connects };
}

const stopped = { code: 0, signal: null, stderr: '' };
const good: Outcome = {
  client: 'psql',
  tally: tallyWith(5, 50),
  watchedMs: 25_000,
  ending: 'as asked',
  daemon: stopped,
};
const withoutToken = { ...good, tally: tallyWith(0, 0), watchedMs: undefined };

test.each([
  [5_999, 0],
  [6_000, 1],
  [19_999, 1],
  [20_000, 3],
  [3_600_000, 3],
])('a run of %i ms has to see %i rotations', (watchedMs, rotations) => {
  const outcomeWith = (seen: number) => ({ ...good, watchedMs, tally: tallyWith(seen, 50) });
  expect(problemsOf(outcomeWith(rotations))).toEqual([]);
  if (rotations > 0) expect(problemsOf(outcomeWith(rotations - 1))).toHaveLength(1);
});

describe('success is', () => {
  test.each<[string, Outcome]>([
    ['a long run', good],
    ['a shorter run', { ...good, watchedMs: 12_000, tally: tallyWith(1, 20) }],
    ['one stopped within seconds', { ...good, watchedMs: 3_000, tally: tallyWith(0, 5) }],
  ])('%s', (_, outcome) => {
    expect(problemsOf(outcome)).toEqual([]);
    expect(summarize(outcome).join('\n')).toMatch(/^Success: /m);
  });
});

describe('a failure is', () => {
  test.each<[string, Outcome, string]>([
    ['one failed connect', { ...good, tally: tallyWith(5, 49, 1) }, '1 of 50 connects by psql'],
    ['too few rotations', { ...good, tally: tallyWith(2, 50) }, 'rotated 2 times instead of 3'],
    [
      'no rotation at all',
      { ...good, watchedMs: 12_000, tally: tallyWith(0, 20) },
      'rotated 0 times instead of 1',
    ],
    ['no connect', { ...good, watchedMs: 100, tally: tallyWith(0, 0) }, 'it has shown nothing'],
    ['no first token', { ...withoutToken, ending: 'no token' }, 'no token in place within 10 s'],
    ['a stop before the first token', withoutToken, 'it has shown nothing'],
    [
      'a pgpassd that ended by itself',
      { ...withoutToken, ending: 'daemon ended', daemon: { ...stopped, code: 2 } },
      'pgpassd ended by itself, with exit code 2',
    ],
    [
      'a pgpassd that ended by itself without an error',
      { ...good, ending: 'daemon ended' },
      'pgpassd ended by itself, with exit code 0',
    ],
    [
      'a pgpassd that had to be killed',
      { ...good, daemon: { ...stopped, code: null, signal: 'SIGKILL' } },
      'pgpassd ended with SIGKILL on SIGTERM',
    ],
  ])('%s', (_, outcome, reason) => {
    expect(problemsOf(outcome)).toEqual([expect.stringContaining(reason)]);
    expect(summarize(outcome).join('\n')).toMatch(/^Failure: /m);
  });
});

test('the summary of a failure has the message and the remedy of pgpassd, and the error of the client', () => {
  const tally = {
    ...tallyWith(5, 48, 2),
    lastFailure: { message: 'Entra refused it.', remedy: 'Look there.' },
  };
  const lastError = 'FATAL: The access token has expired.';
  const outcome = { ...good, tally: { ...tally, connects: { ...tally.connects, lastError } } };
  const summary = summarize(outcome);
  expect(summary).toContain('pgpassd logged    Entra refused it.');
  expect(summary).toContain('remedy            Look there.');
  expect(summary).toContain(`psql said         ${lastError}`);
});

test('the summary fits 80 columns', () => {
  const daemon = { code: 2, signal: null, stderr: 'pgpassd: something is wrong. '.repeat(9) };
  const outcome: Outcome = { ...good, tally: tallyWith(1, 48, 2), ending: 'daemon ended', daemon };
  for (const line of summarize(outcome)) expect(line.length).toBeLessThanOrEqual(80);
});
