import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, test } from 'vitest';
import type { Context } from '../faults/pod.ts';
import { damages, elsewhere, isRight } from '../passfile/damages.ts';
import { openWorkload, passfileWith, whileStopped } from './workload.ts';

async function startGuarded({ onTestFinished }: Context, ...flags: readonly string[]) {
  const workload = await openWorkload({ onTestFinished });
  const pgpassd = workload.start(['run', ...flags]);
  await pgpassd.waitFor('token.refreshed');
  return { ...workload, pgpassd, content: passfileWith(workload.entra.issued[0]) };
}

describe.concurrent('the guard', () => {
  test('mends one damage after the other, and a link leads to what it did', async (context) => {
    const { expect } = context;
    const { pgpassd, passfile, content } = await startGuarded(context);
    for (const { inflict } of damages.filter((each) => !each.asRoot).slice(0, 6)) {
      await whileStopped(pgpassd, () => inflict(passfile));
      await pgpassd.waitFor('passfile.repaired');
      expect(await isRight(passfile, content)).toBe(true);
    }
    await damages.find(({ how }) => how.includes('link'))?.inflict(passfile);
    await pgpassd.waitFor('passfile.contested');
    await pgpassd.waitFor('passfile.repaired');
    expect(await readFile(elsewhere(passfile), 'utf8')).toBe('untouched');
    expect(await isRight(passfile, content)).toBe(true);
  });

  test('looks after the passfile as ever while an exchange hangs', async (context) => {
    const { expect } = context;
    const guarded = await startGuarded(context, '--request-timeout', '10m');
    const { pgpassd, entra, passfile, content } = guarded;
    entra.faults.always({ kind: 'hang' });
    const asked = entra.nextRequest();
    pgpassd.signal('SIGHUP');
    await asked;
    await rm(passfile);
    await pgpassd.waitFor('passfile.repaired');
    expect(await isRight(passfile, content)).toBe(true);
    expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
  });

  test('takes a new token published over a damaged passfile for no repair', async (context) => {
    const { expect } = context;
    const { pgpassd, entra, passfile } = await startGuarded(context);
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('token.refreshed');
    await writeFile(passfile, 'garbage');
    await pgpassd.waitFor('passfile.repaired');
    expect(await isRight(passfile, passfileWith(entra.issued[1]))).toBe(true);
  });
});
