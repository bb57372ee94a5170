import { describe, expect, test } from 'vitest';
import type { PgpassdOptions } from '../support/pgpassd-process.ts';
import { lineWith, openClient, tokenLasting, untilItTells } from './client.ts';
import { canExhaustInotify, withoutInotify } from './without-inotify.ts';

const ready = { code: 0, signal: null };

/** What the interface promises, from the publication to the end of the process. */
const LONGEST_RETURN_MS = 200;

/**
 * How long each of five waiting processes lasts after its passfile is published, in order of length.
 * The longer ones may be the machine's fault, which may have other work: the second counts.
 */
async function returnTimesMs(options: Partial<PgpassdOptions> = {}): Promise<number[]> {
  const clients = await Promise.all(Array.from({ length: 5 }, () => openClient()));
  const waits = clients.map((client) => ({ ...client, pgpassd: client.start([], options) }));
  await Promise.all(waits.map(({ pgpassd }) => untilItTells(pgpassd, 'does not exist')));
  const times: number[] = [];
  for (const { publish, pgpassd } of waits) {
    await publish(lineWith(tokenLasting(3600)));
    const publishedAt = performance.now();
    expect(await pgpassd.exited, pgpassd.output()).toEqual(ready);
    times.push(performance.now() - publishedAt);
  }
  return times.toSorted((one, other) => one - other);
}

describe('it returns within 200 ms of the publication', () => {
  test('where it can watch', async () => {
    const times = await returnTimesMs();
    expect(times[1], `${times}`).toBeLessThan(LONGEST_RETURN_MS);
  });

  test.skipIf(!canExhaustInotify())(
    'where there is no inotify instance left, without a word (needs user namespaces)',
    async () => {
      const times = await returnTimesMs({ under: withoutInotify });
      expect(times[1], `${times}`).toBeLessThan(LONGEST_RETURN_MS);
    },
  );
});
