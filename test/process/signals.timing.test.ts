import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Pgpassd, PgpassdExit } from '../support/pgpassd-process.ts';
import { openWorkload, passfileWith, takeAway } from './workload.ts';

const stopSignals = ['SIGTERM', 'SIGINT'] as const;
const done: PgpassdExit = { code: 0, signal: null };

/** The interface promises a second, and an exchange that hangs takes ten. A busy machine gets two more. */
const LONGEST_STOP_MS = 3_000;

/** What Node writes into its compile cache at the end is not ours to answer for. */
const uncached = { env: { NODE_COMPILE_CACHE: undefined } };

async function stop(pgpassd: Pgpassd, name: NodeJS.Signals): Promise<PgpassdExit> {
  const sentAt = performance.now();
  pgpassd.signal(name);
  const exit = await pgpassd.exited;
  expect(performance.now() - sentAt, pgpassd.output()).toBeLessThan(LONGEST_STOP_MS);
  return exit;
}

describe.concurrent.each(stopSignals)('%s ends run with 0 within a second', (name) => {
  test('while it waits for the next refresh', async ({ onTestFinished }) => {
    const { entra, passfile, start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['run'], uncached);
    await pgpassd.waitFor('token.refreshed');
    expect(await stop(pgpassd, name)).toEqual(done);
    expect(pgpassd.lines.at(-1)).toMatchObject({ event: 'stopped', level: 'info' });
    expect(pgpassd.errors()).toBe('');
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
  });

  test('in the middle of an exchange that hangs, without telling a failure', async ({
    onTestFinished,
  }) => {
    const { entra, passfile, start } = await openWorkload({ onTestFinished });
    entra.faults.always({ kind: 'hang' });
    const asked = entra.nextRequest();
    const pgpassd = start(['run'], uncached);
    await asked;
    expect(await stop(pgpassd, name)).toEqual(done);
    expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
    await expect(stat(passfile)).rejects.toThrow('ENOENT');
  });

  test('between two tries', async ({ onTestFinished }) => {
    const { entra, start } = await openWorkload({ onTestFinished });
    await entra.close();
    const pgpassd = start(['run'], uncached);
    await pgpassd.waitFor('refresh.failed');
    expect(await stop(pgpassd, name)).toEqual(done);
  });
});

describe.concurrent('when run is stopped', () => {
  test('the passfile goes with --on-exit remove', async ({ onTestFinished }) => {
    const { passfile, start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['run', '--on-exit', 'remove'], uncached);
    await pgpassd.waitFor('token.refreshed');
    await stat(passfile);
    expect(await stop(pgpassd, 'SIGTERM')).toEqual(done);
    await expect(stat(passfile)).rejects.toThrow('ENOENT');
  });

  test('a passfile that cannot be removed is told, and ends it with 0 all the same', async ({
    onTestFinished,
  }) => {
    const { directory, start } = await openWorkload({ onTestFinished });
    const pgpassd = start(['run', '--on-exit', 'remove']);
    await pgpassd.waitFor('token.refreshed');
    await takeAway(directory);
    await writeFile(directory, 'a file where the directory was');
    expect(await stop(pgpassd, 'SIGTERM')).toEqual(done);
    expect(pgpassd.lines.map(({ event }) => event)).toContain('passfile.remove-failed');
  });
});
