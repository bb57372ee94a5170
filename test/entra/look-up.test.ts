import { describe, expect, test } from 'vitest';
import { coalesceLookUps } from '../../src/entra/connect.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A resolver that answers when the test says so. */
function slowResolver() {
  const queries: { name: string; found: (addresses: string[]) => void; failed: () => void }[] = [];
  const ask = (name: string) =>
    new Promise<readonly string[]>((found, reject) => {
      queries.push({ name, found, failed: () => reject(new Error('EAI_AGAIN')) });
    });
  const clock = new FakeClock();
  const lookUp = coalesceLookUps(ask);
  /** One attempt, and what ends it. */
  const attempt = (name = 'login.example') => {
    const over = new AbortController();
    const outcome = lookUp(name, { clock, signal: over.signal }).catch((error: Error) => error);
    return { outcome, giveUp: () => over.abort(new Error('out of time')) };
  };
  return { queries, clock, attempt };
}

describe('an answer that is late', () => {
  test('serves the attempt that waits when it comes', async () => {
    const { queries, attempt } = slowResolver();
    const first = attempt();
    first.giveUp();
    expect(await first.outcome).toEqual(new Error('out of time'));
    const second = attempt();
    queries[0]?.found(['192.0.2.1']);
    expect(await second.outcome).toEqual(['192.0.2.1']);
    expect(queries).toHaveLength(1);
  });

  test('serves the next attempt when it comes between two, and that one alone', async () => {
    const { queries, attempt, clock } = slowResolver();
    attempt().giveUp();
    queries[0]?.found(['192.0.2.1']);
    await clock.advance(60_000);
    expect(await attempt().outcome).toEqual(['192.0.2.1']);
    const third = attempt();
    expect(queries).toHaveLength(2);
    queries[1]?.found(['192.0.2.2']);
    expect(await third.outcome).toEqual(['192.0.2.2']);
  });

  test('is of no use after three minutes', async () => {
    const { queries, attempt, clock } = slowResolver();
    attempt().giveUp();
    queries[0]?.found(['192.0.2.1']);
    await clock.advance(180_000);
    attempt();
    expect(queries).toHaveLength(2);
  });

  test('is forgotten when it is a failure', async () => {
    const { queries, attempt, clock } = slowResolver();
    attempt().giveUp();
    queries[0]?.failed();
    await clock.advance(1);
    const second = attempt();
    expect(queries).toHaveLength(2);
    queries[1]?.failed();
    expect(await second.outcome).toEqual(new Error('EAI_AGAIN'));
  });
});

test('a name is asked for once at a time, however many attempts wait for it', async () => {
  const { queries, attempt } = slowResolver();
  for (let tries = 0; tries < 20; tries += 1) attempt().giveUp();
  const waiting = [attempt(), attempt()];
  attempt('proxy.example');
  expect(queries.map(({ name }) => name)).toEqual(['login.example', 'proxy.example']);
  queries[0]?.found(['192.0.2.1']);
  for (const { outcome } of waiting) expect(await outcome).toEqual(['192.0.2.1']);
});
