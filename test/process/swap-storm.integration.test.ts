import { expect, test } from 'vitest';
import { ask } from '../observe/clients.ts';
import { portOf } from './probing.ts';
import { openWorkload } from './workload.ts';

const MANY = 20;

test('a storm of swaps is a few lines of the log, and the metrics count every one', async () => {
  const { entra, volume, start } = await openWorkload();
  const pgpassd = start(['run'], { env: { PGPASSD_LOG_LEVEL: 'info' } });
  const port = await portOf(pgpassd);
  await pgpassd.waitFor('token.refreshed');
  const since = Date.now();
  const changes = async () => {
    const { body } = await ask({ port }, { path: '/metrics' });
    return Number(/^pgpassd_federated_token_changes_total (\d+)/m.exec(body)?.[1]);
  };
  while ((await changes()) < MANY) {
    await volume.write(await entra.cluster.issueServiceAccountToken());
  }
  const minutes = Math.ceil((Date.now() - since) / 60_000);
  const told = pgpassd.lines.filter(({ event }) => event === 'federated-token.changed');
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThanOrEqual(5 * minutes);
  expect(told.every(({ level }) => level === 'info')).toBe(true);
});
