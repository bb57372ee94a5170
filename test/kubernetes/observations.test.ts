import { expect, test } from 'vitest';
import type { Login } from './azure/observation.ts';
import { Observations, refusalsOf, tallyLogins } from './observations.ts';

const at = '2026-11-25T20:00:00.000Z';
const login = (token: string, more: Partial<Login> = {}): Login => ({
  event: 'login',
  at,
  database: 'appdb',
  ok: true,
  token,
  ...more,
});
const refused = { event: 'exchange', at, subject: 'someone', aadsts: 700213 } as const;

async function* linesOf(...observations: readonly object[]): AsyncGenerator<string> {
  yield "(node:1) a warning of Node's";
  for (const each of observations) yield JSON.stringify(each);
}

test('logins are counted by database, and their tokens once each', () => {
  const all = [login('a'), login('a'), login('b'), login('c', { database: 'other' }), refused];
  expect(tallyLogins(all, 'appdb')).toEqual({ count: 3, tokens: 2 });
});

test('a login that was refused ends the count', () => {
  const reason = 'The access token has expired.';
  const all = [login('a'), login('a', { ok: false, reason })];
  expect(() => tallyLogins(all, 'appdb')).toThrow(
    'a client of appdb was turned away: The access token has expired.',
  );
  expect(tallyLogins(all, 'other')).toEqual({ count: 0, tokens: 0 });
});

test('refusals are told by the service account', () => {
  const granted = { event: 'exchange', at, subject: 'someone', token: 'a' } as const;
  expect(refusalsOf([refused, granted, { ...refused, subject: 'else' }], 'someone')).toEqual([
    700213,
  ]);
});

test('who waits is told as soon as the log has it', async () => {
  const observations = new Observations();
  const two = observations.until(
    (all) => (all.length === 2 ? 'two of them' : undefined),
    'two logins',
    60_000,
  );
  await observations.read(linesOf(login('a'), login('b')));
  expect(await two).toBe('two of them');
});

test('who waits in vain is told what for', async () => {
  const observations = new Observations();
  await expect(observations.until(() => undefined, 'a login', 1)).rejects.toThrow(
    'waited 0.001 s for a login',
  );
});

test('who sees what must not be sees it at once', async () => {
  const observations = new Observations();
  const waiting = observations.until(
    (all) => tallyLogins(all, 'appdb').count > 9 || undefined,
    '',
    60_000,
  );
  await observations.read(linesOf(login('a', { ok: false, reason: 'no' })));
  await expect(waiting).rejects.toThrow('turned away: no');
});
