import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROLE, SERVER_NAME, startAzure } from '../postgres/azure.ts';
import { pgpassdEnv, startPgpassd } from '../support/pgpassd-process.ts';
import { psql } from '../support/postgres/clients.ts';
import { untilLetIn } from './until.ts';

/**
 * Stops a real pgpassd by SIGSTOP for some minutes, far past the expiry of its token, and tells how
 * long after SIGCONT a real psql gets in again: node test/faults/sigstop.ts --minutes 5
 */
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } });
const stopMs = Number(values.minutes) * 60_000;

const cleanUps: (() => Promise<void>)[] = [];
const azure = await startAzure({ accessTokenLifetimeSeconds: 30 });
cleanUps.push(() => azure.close());
try {
  const { entra, volume, passfile, client } = azure;
  const entries = [`${SERVER_NAME}:*:*:${ROLE}`];
  const pgpassd = startPgpassd({
    env: pgpassdEnv({ entra, tokenPath: volume.tokenPath, passfile, entries }),
    onTestFinished: (cleanUp) => void cleanUps.push(cleanUp),
  });
  await pgpassd.waitFor('token.refreshed');
  report('before SIGSTOP', await psql(client));

  pgpassd.signal('SIGSTOP');
  await sleep(stopMs);
  report(`after ${values.minutes} min of it`, await psql(client));

  const continuedMs = Date.now();
  pgpassd.signal('SIGCONT');
  report('after SIGCONT', await untilLetIn(client));
  const letInMs = Date.now();
  const written = await pgpassd.waitFor(
    ({ event, time }) => event === 'passfile.written' && Date.parse(time) >= continuedMs,
  );
  console.info(`fresh token in place ${Date.parse(written.time) - continuedMs} ms after SIGCONT`);
  console.info(`psql let in ${letInMs - continuedMs} ms after SIGCONT`);
} finally {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
}

function report(when: string, { code, stderr }: Awaited<ReturnType<typeof psql>>): void {
  console.info(`${when}: psql ${code === 0 ? 'is let in' : stderr.trim()}`);
}
