import { expect, test } from 'vitest';
import type { RefreshEvent } from '../../src/refresh/events.ts';
import { timed } from '../../src/sources/source.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** An ask that takes two seconds, while the wall clock may be set. */
function open(outcome: () => Promise<string>) {
  const clock = new FakeClock();
  const events: RefreshEvent[] = [];
  const context = { clock, onEvent: (event: RefreshEvent) => void events.push(event) };
  const ask = (signal: AbortSignal) =>
    timed(context, signal, async () => {
      await clock.sleep(2_000, signal);
      return await outcome();
    });
  return { clock, events, ask };
}

const answer = async () => 'an answer';
const refusal = () => Promise.reject(new Error('refused'));
const unstopped = new AbortController().signal;

test('an answer is an event with the time that it took, whatever the wall clock does', async () => {
  const { clock, events, ask } = open(answer);
  const asked = ask(unstopped);
  clock.stepWallClock(86_400_000);
  await clock.advance(2_000);
  await asked;
  expect(events).toEqual([{ type: 'exchange.ended', succeeded: true, tookMs: 2_000 }]);
});

test('so is a refusal', async () => {
  const { clock, events, ask } = open(refusal);
  const refused = expect(ask(unstopped)).rejects.toThrow('refused');
  await clock.advance(2_000);
  await refused;
  expect(events).toEqual([{ type: 'exchange.ended', succeeded: false, tookMs: 2_000 }]);
});

test('the end of the process is no answer', async () => {
  const { events, ask } = open(refusal);
  const stop = new AbortController();
  const refused = expect(ask(stop.signal)).rejects.toThrow('refused');
  stop.abort();
  await refused;
  expect(events).toEqual([]);
});
