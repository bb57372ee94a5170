import { expect, test } from 'vitest';
import { createFollower } from '../../src/support/file-watcher.ts';
import { FakeClock } from '../support/fake-clock.ts';

const POLL_MS = 30_000;

/** Follows a file by polling alone; what a look finds is the test's to say. */
function follow() {
  const clock = new FakeClock();
  const told: string[] = [];
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
    onContent: (content) => told.push(content),
    onUnreadable: (error) => told.push(String(error)),
    onWatchFailed: () => undefined,
  }).run(stop.signal);
  return {
    told,
    looks: async (...all: readonly (string | Error)[]) => {
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

test('a file that stays unreadable is told once, and again when it was readable meanwhile', async () => {
  const { told, looks, stop } = follow();
  await looks('one', gone, gone, gone, gone);
  expect(told).toEqual(['one', 'Error: gone']);
  await looks('one', gone, gone);
  expect(told).toEqual(['one', 'Error: gone', 'Error: gone']);
  await stop();
});

test('a file that is missed once, in the middle of a swap, is none', async () => {
  const { told, looks, stop } = follow();
  await looks('one', gone, 'two', gone, 'two');
  expect(told).toEqual(['one', 'two']);
  await stop();
});
