import { mkdir } from 'node:fs/promises';
import { describe, expect, type TestContext, test } from 'vitest';
import { damages, isRight } from '../passfile/damages.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { openWorkload, passfileWith, takeAway, type Workload, whileStopped } from './workload.ts';

const asRoot = process.getuid?.() === 0;
/** What is promised while watching works; polling alone would take up to 30 s. */
const soon = { within: 5_000 };

async function startGuarded({
  onTestFinished,
}: TestContext): Promise<{ workload: Workload; pgpassd: Pgpassd; content: string }> {
  const workload = await openWorkload({ onTestFinished });
  const pgpassd = workload.start(['run']);
  await pgpassd.waitFor('token.refreshed');
  return { workload, pgpassd, content: passfileWith(workload.entra.issued[0]) };
}

describe.concurrent.each(damages)('a passfile that was $how', (each) => {
  test.skipIf(each.asRoot && !asRoot)('is right again within 5 s', async (context) => {
    const { workload, pgpassd, content } = await startGuarded(context);
    const { passfile, entra } = workload;
    await whileStopped(pgpassd, () => each.inflict(passfile));
    const line = await pgpassd.waitFor('passfile.repaired', soon);
    expect(line).toMatchObject({ level: 'warn', damage: each.damage, repairs: 1 });
    expect(await isRight(passfile, content)).toBe(true);
    expect(entra.issued).toHaveLength(1);
  });
});

test.concurrent('a passfile damaged again and again is right within 5 s each time', async (context) => {
  const { workload, pgpassd, content } = await startGuarded(context);
  const { passfile } = workload;
  for (const { inflict } of damages.slice(0, 3)) {
    await whileStopped(pgpassd, () => inflict(passfile));
    await pgpassd.waitFor('passfile.repaired', soon);
    expect(await isRight(passfile, content)).toBe(true);
  }
});

test.concurrent('a directory that vanishes and returns gets its passfile back within 5 s', async (context) => {
  const { workload, pgpassd, content } = await startGuarded(context);
  const { directory, passfile } = workload;
  await takeAway(directory);
  expect(await pgpassd.waitFor('passfile.repair-failed', soon)).toMatchObject({
    level: 'error',
    reason: 'passfile.unwritable',
  });
  await mkdir(directory);
  await pgpassd.waitFor('passfile.repaired', soon);
  expect(await isRight(passfile, content)).toBe(true);
});
