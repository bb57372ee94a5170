import { expect, test } from 'vitest';
import { createProbes } from '../../src/observe/health.ts';
import type { Damage } from '../../src/passfile/inspect.ts';
import { type DaemonState, initialState, stateAfter } from '../../src/refresh/events.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** Kubelet waits for a second. */
const SOON_MS = 500;

/** The probes of a daemon with a token in place, whose disk answers when the test wants it to. */
function open() {
  const clock = new FakeClock();
  const now = clock.now();
  const token = { expiresAtMs: now.wallMs + 60_000, remainingMs: 60_000, lifeMs: 60_000 };
  const refreshed = { type: 'token.refreshed', token, refreshInMs: 1, tookMs: 1 } as const;
  const daemon = { state: stateAfter(initialState, refreshed, now) as DaemonState };
  const looks: PromiseWithResolvers<Damage | undefined>[] = [];
  const probes = createProbes({
    clock,
    state: () => daemon.state,
    pulse: () => ({ turnedAtMs: 0, turnsWithinMs: 30_000, stallMs: 0 }),
    look: () => {
      const look = Promise.withResolvers<Damage | undefined>();
      looks.push(look);
      return look.promise;
    },
  });
  const ask = async (path: string) => {
    const { status = 0, body = '{}' } = (await probes.get(path)?.()) ?? {};
    return { status, reason: JSON.parse(body).reason };
  };
  return { clock, daemon, looks, ask };
}

const unanswered = {
  status: 503,
  reason: 'the passfile cannot be checked: its volume does not respond',
};

test('a disk that does not respond delays no answer for long, and fails /readyz alone', async () => {
  const { clock, looks, ask } = open();
  const answer = ask('/readyz');
  await clock.advance(SOON_MS);
  expect(await answer).toEqual(unanswered);
  expect(await ask('/livez')).toMatchObject({ status: 200 });
  expect(await ask('/startupz')).toMatchObject({ status: 200 });

  looks[0]?.resolve(undefined);
  await clock.advance(0);
  const later = ask('/readyz');
  looks[1]?.resolve(undefined);
  expect(await later).toMatchObject({ status: 200 });
});

test('however many probes come, there is one look at the disk at a time', async () => {
  const { clock, looks, ask } = open();
  const first = Array.from({ length: 10 }, () => ask('/readyz'));
  await clock.advance(SOON_MS);
  expect(await Promise.all(first)).toEqual(Array(10).fill(unanswered));
  const second = ask('/readyz');
  expect(looks).toHaveLength(1);
  looks[0]?.resolve('missing');
  expect(await second).toEqual({ status: 503, reason: 'the passfile is missing' });
});

test('a look that fails is one without an answer', async () => {
  const { looks, ask } = open();
  const answer = ask('/readyz');
  looks[0]?.reject(new Error('EIO'));
  expect(await answer).toEqual(unanswered);
});

test('what happens while the disk is looked at counts', async () => {
  const { clock, daemon, looks, ask } = open();
  const expiring = ask('/readyz');
  clock.stepWallClock(60_000);
  looks[0]?.resolve(undefined);
  expect(await expiring).toEqual({ status: 503, reason: 'the token in the passfile has expired' });

  const stopping = ask('/readyz');
  daemon.state = { ...daemon.state, stopping: true };
  looks[1]?.resolve(undefined);
  expect(await stopping).toEqual({ status: 503, reason: 'stopping' });
});
