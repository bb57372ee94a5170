import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporarilyUnavailable } from '../support/fake-entra/faults.ts';
import { grantFor, portOf, probe, probeUntil } from './probing.ts';
import { openStallingReader } from './stalling-reader.ts';
import { openWorkload, takeAway } from './workload.ts';

test('while the directory of the passfile is gone /livez says 200, and /readyz that the passfile is missing', async () => {
  const { directory, start } = await openWorkload();
  const pgpassd = start(['run']);
  await pgpassd.waitFor('token.refreshed');
  const port = await portOf(pgpassd);
  await takeAway(directory);
  await pgpassd.waitFor('passfile.repair-failed');
  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor(
    ({ reason, event }) => event === 'refresh.failed' && reason === 'passfile.unwritable',
  );
  expect(await probe(port, '/livez')).toMatchObject({ status: 200 });
  expect(await probe(port, '/readyz')).toMatchObject({
    status: 503,
    reason: 'the passfile is missing',
  });

  await mkdir(directory);
  await pgpassd.waitFor('passfile.repaired');
  expect(await probe(port, '/readyz')).toMatchObject({ status: 200 });
});

test.each(['json', 'pretty'])(
  'a reader of the log (%s) who stalls holds up neither the probes nor the next token, also once a token has expired',
  async (format) => {
    const { entra, directory, start } = await openWorkload();
    const reader = await openStallingReader(join(directory, 'log'));
    entra.faults.next(grantFor(3));
    entra.faults.always(temporarilyUnavailable());
    const pgpassd = start(['run', '--log-format', format], { under: reader.under });
    const [, httpPort] = /"httpPort":(\d+)/.exec(await reader.firstLine()) ?? [];
    const port = Number(httpPort);
    await reader.stall();
    await probeUntil(port, '/readyz', (said) => said.lastErrorAtMs > said.tokenExpiresAtMs);
    expect((await probe(port, '/livez')).status).toBe(200);

    entra.faults.always(undefined);
    pgpassd.signal('SIGHUP');
    await probeUntil(port, '/readyz', ({ status }) => status === 200);
  },
);
