import type { DaemonEnd } from './daemon.ts';
import { SCREEN_COLUMNS, seconds, wrap } from './screen.ts';
import type { ConnectTally, Tally } from './tally.ts';

/** How a run of the demo went. */
export interface Outcome {
  readonly client: string;
  readonly tally: Tally;
  /** How long the client connected, which it does from the first token on; absent without one. */
  readonly watchedMs: number | undefined;
  readonly ending: 'as asked' | 'no token' | 'daemon ended';
  readonly daemon: DaemonEnd;
}

export const FIRST_TOKEN_WITHIN_MS = 10_000;

/**
 * How many rotations are expected, by how long the client connected. A token lives ten seconds and is
 * refreshed after less than five, so one rotation may be late.
 */
const expectations = [
  { fromMs: 20_000, rotations: 3 },
  { fromMs: 6_000, rotations: 1 },
] as const;

interface Expectation {
  readonly fromMs: number;
  readonly rotations: number;
}

function expectationFor(watchedMs: number): Expectation {
  return expectations.find(({ fromMs }) => watchedMs >= fromMs) ?? { fromMs: 0, rotations: 0 };
}

/** What went wrong, a sentence each; none when the demo has shown what it should. */
export function problemsOf({ client, tally, watchedMs, ending, daemon }: Outcome): string[] {
  const { ok, failed } = tally.connects;
  const { rotations: expected } = expectationFor(watchedMs ?? 0);
  const problems: string[] = [];
  if (ending === 'no token') {
    problems.push(`pgpassd put no token in place within ${FIRST_TOKEN_WITHIN_MS / 1000} s.`);
  }
  if (ending === 'daemon ended') problems.push(`pgpassd ended by itself, with ${endOf(daemon)}.`);
  else if (daemon.code !== 0) problems.push(`pgpassd ended with ${endOf(daemon)} on SIGTERM.`);
  if (failed > 0) problems.push(`${failed} of ${ok + failed} connects by ${client} failed.`);
  if (tally.accessTokenRotations < expected) {
    problems.push(
      `The access token was rotated ${tally.accessTokenRotations} times instead of ${expected}.`,
    );
  }
  if (ending === 'as asked' && ok + failed === 0) {
    problems.push('The demo was stopped before the first connect, so it has shown nothing.');
  }
  return problems;
}

function endOf({ code, signal }: DaemonEnd): string {
  return signal === null ? `exit code ${code}` : signal;
}

/** What the demo has shown, or why it has failed; lines of 80 columns at most. */
export function summarize(outcome: Outcome): string[] {
  const { tally, daemon } = outcome;
  return [
    ...watchedRows(outcome),
    ...row('federated token', `rotated ${times(tally.federatedTokenRotations)}`),
    ...row('failed refreshes', String(tally.failedRefreshes)),
    ...row('connects', connectsIn(tally.connects)),
    ...row('pgpassd', `ended with ${endOf(daemon)}`),
    '',
    ...conclusion(outcome),
  ];
}

function watchedRows({ tally, watchedMs }: Outcome): string[] {
  if (watchedMs === undefined) return row('access token', 'none was put in place');
  const rotated = `rotated ${times(tally.accessTokenRotations)}`;
  return [
    ...row('duration', `${seconds(watchedMs)} from the first token on`),
    ...row('access token', `${rotated}; ${expectationIn(watchedMs)}`),
  ];
}

function expectationIn(watchedMs: number): string {
  const { rotations, fromMs } = expectationFor(watchedMs);
  return fromMs === 0
    ? 'the run was too short to expect one'
    : `at least ${rotations} expected in ${fromMs / 1000} s or more`;
}

function conclusion(outcome: Outcome): string[] {
  const problems = problemsOf(outcome);
  if (problems.length === 0) return wrap(`Success: ${success(outcome)}`, SCREEN_COLUMNS - 1);
  const { tally, daemon } = outcome;
  return [
    ...wrap(`Failure: ${problems.join(' ')}`, SCREEN_COLUMNS - 1),
    ...(tally.lastFailure
      ? [
          ...row('pgpassd logged', tally.lastFailure.message),
          ...row('remedy', tally.lastFailure.remedy),
        ]
      : []),
    ...(tally.connects.lastError ? row(`${outcome.client} said`, tally.connects.lastError) : []),
    ...(daemon.stderr ? row('pgpassd printed', daemon.stderr) : []),
  ];
}

function success({ client, tally }: Outcome): string {
  const { accessTokenRotations: rotations, connects } = tally;
  const loggedIn = `${client}, configured with nothing but PGPASSFILE, logged in ${connects.ok} of ${connects.ok} times`;
  return rotations === 0
    ? `${loggedIn}; the run was too short to see a token rotate.`
    : `the token changed ${times(rotations)}, and ${loggedIn}.`;
}

function connectsIn({ ok, failed, shortestMs, longestMs }: ConnectTally): string {
  if (ok + failed === 0) return 'none';
  const spread = `the shortest took ${Math.round(shortestMs)} ms, the longest ${Math.round(longestMs)} ms`;
  return `${ok} ok, ${failed} failed${ok > 0 ? `; ${spread}` : ''}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

const LABEL_COLUMNS = 18;

function row(label: string, text: string): string[] {
  const [first = '', ...rest] = wrap(text, SCREEN_COLUMNS - 1 - LABEL_COLUMNS);
  return [
    label.padEnd(LABEL_COLUMNS) + first,
    ...rest.map((line) => ' '.repeat(LABEL_COLUMNS) + line),
  ];
}
