import { appendFile, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { passfileWith } from '../process/workload.ts';
import { canMakeNetworks } from '../support/network.ts';
import { known, name, needs, openPod } from './slow-names.ts';

test.skipIf(!canMakeNetworks())(
  `a passfile is repaired within seconds while no DNS server answers (${needs})`,
  async () => {
    const { start, passfile, entra, network } = await openPod(
      { [name]: { ...known, delayMs: 0 }, 'silent.test': {} },
      'options timeout:30 attempts:3',
    );
    const earlier = start('once');
    expect(await earlier.exited, earlier.output()).toEqual({ code: 0, signal: null });
    const pgpassd = start(
      'run',
      '--request-timeout',
      '1s',
      '--authority-host',
      'https://silent.test/',
    );
    await pgpassd.waitFor('passfile.adopted', { within: 60_000 });
    pgpassd.signal('SIGHUP');
    for (let failed = 0; failed < 3; failed += 1) {
      await pgpassd.waitFor('refresh.failed', { within: 30_000 });
    }
    await appendFile(passfile, 'spoiled\n');
    const askedAtMs = performance.now();
    await pgpassd.waitFor('passfile.repaired', { within: 10_000 });
    expect(performance.now() - askedAtMs).toBeLessThan(5_000);
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
    expect(network.asked.filter((query) => query === 'silent.test A')).toHaveLength(1);
  },
  100_000,
);
