import { expect, test } from 'vitest';
import { checkLogins } from '../../../src/check/steps/login.ts';
import type { Environment } from '../../../src/config/option.ts';
import { Secret } from '../../../src/support/secret.ts';
import { manualClock } from '../../support-units/manual-clock.ts';
import { contextWith, shown } from '../context.ts';
import { startPeer } from '../login/parts.ts';

const unsent = 'not-to-be-sent-anywhere';
const issued = {
  token: new Secret(unsent),
  life: { since: { wallMs: 0, monotonicMs: 0 }, delayMs: 3_600_000 },
};

const base: Environment = { PGPASSD_CONNECT: 'true', PGHOSTADDR: '127.0.0.1' };

test('without the network no login is tried', async () => {
  const context = contextWith({
    ...base,
    PGPASSD_OFFLINE: 'true',
    PGPASSD_ENTRIES: 'db:5432:*:app',
  });
  expect(shown(await checkLogins(context, undefined, context.reading.entries, issued))).toEqual([
    '– not tried: --offline',
  ]);
});

test('a variable that libpq refuses is reported once for all entries', async () => {
  const env = { ...base, PGSSLMODE: 'verify_full', PGPASSD_ENTRIES: 'a:1:*:app\nb:2:*:app' };
  const context = contextWith(env);
  expect(shown(await checkLogins(context, undefined, context.reading.entries, issued))).toEqual([
    expect.stringMatching(/^✗ client-refuses .*PGSSLMODE=verify_full is not an sslmode →/),
  ]);
});

test('silent servers together take no longer than one', async () => {
  const peers = await Promise.all([1, 2, 3].map(() => startPeer(() => undefined)));
  const clock = manualClock({ wallMs: 0, monotonicMs: 0 });
  const entries = peers.map(({ port }) => `db:${port}:*:app`).join('\n');
  const context = contextWith({ ...base, PGPASSD_ENTRIES: entries }, { clock });
  const trying = checkLogins(context, undefined, context.reading.entries, issued);
  while (clock.sleptMs.length < peers.length) await new Promise(setImmediate);
  clock.elapse();
  expect(shown(await trying, [unsent])).toEqual(
    peers.map(({ port }) => expect.stringMatching(new RegExp(`^✗ server-.*db:${port} `))),
  );
  expect(clock.sleptMs).toEqual([10_000, 10_000, 10_000]);
});
