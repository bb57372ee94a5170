import { expect, test } from 'vitest';
import { canMakeNetworks } from '../support/network.ts';
import { betweenLost, lastOfSix, needs, runAt } from './slow-addresses.ts';

/** A far address answers after one second. */
const LONGEST_SECONDS = 4;

// The longest of the ways to an address that is far, and of those to one that is near; both mostly wait. An
// integration test has the others.
test.skipIf(!canMakeNetworks())(
  `once gets a token within seconds, however many addresses an authority has (${needs})`,
  async (context) => {
    await Promise.all(
      [betweenLost, lastOfSix].map(async ([which, addresses]) => {
        const { pgpassd, exit } = await runAt(addresses, ['once', '--timeout', '15s'], context);
        expect(exit, pgpassd.output()).toEqual({ code: 0, signal: null });
        const line = pgpassd.lines.find(({ event }) => event === 'exchange.ended');
        expect(line).toMatchObject({ succeeded: true });
        expect(line?.['tookSeconds'], which).toBeLessThan(LONGEST_SECONDS);
      }),
    );
  },
);
