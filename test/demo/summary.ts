import type { ConnectTally } from './tally.ts';
import { SCREEN_COLUMNS, seconds, wrap } from './text.ts';
import { type Course, objections, rotationRuleFor, words } from './verdict.ts';

const LABEL_COLUMNS = 18;

/** What the demo has shown, or why it has not. */
export function summarize(course: Course): string[] {
  const { tally, daemon } = course;
  return [
    ...watchedRows(course),
    ...row('federated token', `rotated ${times(tally.federatedTokenRotations)}`),
    ...row('failed refreshes', String(tally.failedRefreshes)),
    ...row('connects', connectWords(tally.connects)),
    ...row('pgpassd', `ended with ${words(daemon)}`),
    '',
    ...conclusion(course),
  ];
}

function watchedRows({ tally, watchedMs }: Course): string[] {
  if (watchedMs === undefined) return row('access token', 'none was put in place');
  const rotated = `rotated ${times(tally.accessTokenRotations)}`;
  return [
    ...row('watched for', `${seconds(watchedMs)}, from the first token in place on`),
    ...row('access token', `${rotated}; ${rule(watchedMs)}`),
  ];
}

function conclusion(course: Course): string[] {
  const against = objections(course);
  if (against.length === 0) return wrap(`Shown: ${proof(course)}`, SCREEN_COLUMNS - 1);
  const { tally, daemon } = course;
  return [
    ...wrap(`Not shown: ${against.join(' ')}`, SCREEN_COLUMNS - 1),
    ...(tally.lastTrouble
      ? [
          ...row('pgpassd said', tally.lastTrouble.message),
          ...row('remedy', tally.lastTrouble.remedy),
        ]
      : []),
    ...(tally.connects.lastError ? row(`${course.client} said`, tally.connects.lastError) : []),
    ...(daemon.stderr ? row('pgpassd printed', daemon.stderr) : []),
  ];
}

function proof({ client, tally }: Course): string {
  const { accessTokenRotations: rotations, connects } = tally;
  const letIn = `${client}, which knew nothing but PGPASSFILE, was let in ${connects.ok} of ${connects.ok} times`;
  return rotations === 0
    ? `${letIn}; it was too short to see a token rotate.`
    : `the token changed ${times(rotations)} under way, and ${letIn}.`;
}

function rule(watchedMs: number): string {
  const { rotations, fromMs } = rotationRuleFor(watchedMs);
  return fromMs === 0
    ? 'so short a run calls for none'
    : `${fromMs / 1000} s and more call for at least ${rotations}`;
}

function connectWords({ ok, failed, shortestMs, longestMs }: ConnectTally): string {
  if (ok + failed === 0) return 'none';
  const spread = `the shortest took ${Math.round(shortestMs)} ms, the longest ${Math.round(longestMs)} ms`;
  return `${ok} ok, ${failed} failed${ok > 0 ? `; ${spread}` : ''}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function row(label: string, text: string): string[] {
  const [first = '', ...rest] = wrap(text, SCREEN_COLUMNS - 1 - LABEL_COLUMNS);
  return [
    label.padEnd(LABEL_COLUMNS) + first,
    ...rest.map((line) => ' '.repeat(LABEL_COLUMNS) + line),
  ];
}
