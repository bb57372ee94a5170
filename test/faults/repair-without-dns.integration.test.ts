import { appendFile, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { passfileWith } from '../process/workload.ts';
import { canMakeNetworks } from '../support/network.ts';
import { known, name, needs, openPod } from './slow-names.ts';

/** As long as the resolver can be made to try: two and a half minutes, by which the repair has failed. */
const resolver = 'options timeout:30 attempts:5';

test.skipIf(!canMakeNetworks())(
  `a passfile is repaired while no DNS server answers (${needs})`,
  async () => {
    const { start, passfile, entra, network } = await openPod(
      { [name]: { ...known, delayMs: 0 }, 'silent.test': {} },
      resolver,
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
    await pgpassd.waitFor('passfile.adopted');
    for (let failed = 0; failed < 3; failed += 1) {
      pgpassd.signal('SIGHUP');
      await pgpassd.waitFor('refresh.failed');
    }
    // One query for all of them; more would occupy the threads that files need.
    expect(network.asked.filter((query) => query === 'silent.test A')).toHaveLength(1);
    await appendFile(passfile, 'spoiled\n');
    await pgpassd.waitFor('passfile.repaired');
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[0]));
  },
);
