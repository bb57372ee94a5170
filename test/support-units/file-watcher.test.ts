import { expect, test } from 'vitest';
import { createFollower } from '../../src/support/file-watcher.ts';
import { FakeClock } from '../support/fake-clock.ts';

const POLL_MS = 30_000;

/** Follows a file by polling alone; the test decides what a check finds. */
function follow() {
  const clock = new FakeClock();
  const reported: string[] = [];
  let found: string | Error = 'one';
  const stop = new AbortController();
  const running = createFollower<string>({
    path: '/nowhere/file',
    clock,
    pollIntervalMs: POLL_MS,
    watching: false,
    read: async () => {
      if (found instanceof Error) throw found;
      return found;
    },
    same: (one, other) => one === other,
    onContent: (content) => reported.push(content),
    onUnreadable: (error) => reported.push(String(error)),
    onWatchFailed: () => undefined,
  }).run(stop.signal);
  return {
    reported,
    checks: async (...all: readonly (string | Error)[]) => {
      for (const each of all) {
        found = each;
        await clock.advance(POLL_MS);
      }
    },
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

const gone = new Error('gone');

test('a file that stays unreadable is reported once, and again if it was readable in between', async () => {
  const { reported, checks, stop } = follow();
  await checks('one', gone, gone, gone, gone);
  expect(reported).toEqual(['one', 'Error: gone']);
  await checks('one', gone, gone);
  expect(reported).toEqual(['one', 'Error: gone', 'Error: gone']);
  await stop();
});

test('a file that is missing once, in the middle of a swap, is not reported', async () => {
  const { reported, checks, stop } = follow();
  await checks('one', gone, 'two', gone, 'two');
  expect(reported).toEqual(['one', 'two']);
  await stop();
});
