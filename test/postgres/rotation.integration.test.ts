import { EventEmitter, once } from 'node:events';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { commandHere } from '../support/command-here.ts';
import { pgpassdEnv, startPgpassd } from '../support/pgpassd-process.ts';
import { findProgram, nodePostgres, pgDump, psql } from '../support/postgres/clients.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { type Azure, ROLE, SERVER_NAME, startAzure } from './azure.ts';

const ROTATIONS = 6;
const TOKEN_BYTES = 4096;

const noPsql = findProgram('psql') === undefined || findProgram('pg_dump') === undefined;

let azure: Azure;
/** The server's clock stands at the expiry of a token, and none expires before it is meant to. */
let serverNowMs: number;
/** Entra's clock goes forward by another second with each rotation, so that no two tokens expire together. */
let entraLagMs = ROTATIONS * 1000;

beforeAll(async () => {
  serverNowMs = Date.now();
  azure = await startAzure(
    { accessTokenBytes: TOKEN_BYTES + 64, now: () => Date.now() - entraLagMs },
    { serverNow: () => serverNowMs },
  );
  console.info(`PostgreSQL: ${azure.server.description}`);
}, startTimeoutMs);
afterAll(() => azure.close());

function environment(entries: readonly string[]) {
  const { entra, volume, passfile } = azure;
  return pgpassdEnv({ entra, tokenPath: volume.tokenPath, passfile, entries });
}

const expiryMs = (token: string | undefined): number => Number(decodeJwt(token ?? '').exp) * 1000;

/** A client that connects without pause, as often as it can, whenever it is awake. */
function connectOnAndOn(connect: () => ReturnType<typeof psql>) {
  const results: Awaited<ReturnType<typeof psql>>[] = [];
  const told = new EventEmitter();
  let awake = false;
  let stopping = false;
  const ended = (async () => {
    while (!stopping) {
      if (awake) {
        results.push(await connect());
        told.emit('connect');
      } else {
        await once(told, 'wake');
      }
    }
  })();
  const wake = () => {
    awake = true;
    told.emit('wake');
  };
  const stop = async () => {
    stopping = true;
    wake();
    await ended;
    return results;
  };
  onTestFinished(async () => void (await stop()));
  return {
    wake,
    /** Settles when a connect is over that has begun since: the one after that under way. Then the client sleeps. */
    nextConnect: async () => {
      const wanted = results.length + 2;
      while (results.length < wanted) await once(told, 'connect');
      awake = false;
    },
    stop,
  };
}

describe.skipIf(noPsql)('unmodified libpq clients (psql and pg_dump must be installed)', () => {
  test(`connect without pause while a token is replaced, ${ROTATIONS} times, and its predecessors expire`, async () => {
    const { entra, front, volume, client } = azure;
    const pgpassd = startPgpassd({ env: environment([`${SERVER_NAME}:*:*:${ROLE}`]) });
    await pgpassd.waitFor('refresh.started');
    await pgpassd.waitFor('token.refreshed');
    const clients = [
      connectOnAndOn(() => psql(client)),
      connectOnAndOn(() => pgDump(client, '--schema-only')),
    ];
    for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
      // Kubelet rotates, too, and much more often than it would.
      if (rotation % 3 === 0) await volume.write(await entra.cluster.issueServiceAccountToken());
      entraLagMs -= 1000;
      pgpassd.signal('SIGHUP');
      // It begins a second after the last one; until then no connect could meet a change.
      await pgpassd.waitFor('refresh.started');
      for (const { wake } of clients) wake();
      await pgpassd.waitFor('token.refreshed');
      const [predecessor, current] = entra.issued.slice(-2).map(expiryMs);
      expect(current).toBeGreaterThan(Number(predecessor));
      // A client that has read the previous token may still use it.
      await Promise.all(clients.map(({ nextConnect }) => nextConnect()));
      serverNowMs = Number(predecessor);
    }
    for (const { stop } of clients) {
      const results = await stop();
      expect(results.filter(({ code }) => code !== 0)).toEqual([]);
      expect(results.length).toBeGreaterThan(ROTATIONS);
    }
    expect(front.logins.filter(({ ok }) => !ok)).toEqual([]);
    expect(new Set(entra.issued).size).toBeGreaterThan(ROTATIONS);
    for (const token of entra.issued) expect(token.length).toBeGreaterThanOrEqual(TOKEN_BYTES);

    // With pgpassd stopped the same psql gets in until the token expires, and then no more.
    pgpassd.signal('SIGTERM');
    expect((await pgpassd.exited).code).toBe(0);
    const lastExpiryMs = expiryMs(entra.issued.at(-1));
    serverNowMs = lastExpiryMs - 1;
    expect((await psql(client)).code).toBe(0);
    serverNowMs = lastExpiryMs;
    const refused = await psql(client);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('The access token has expired');
  });

  test('without the passfile there is no other way in', async () => {
    const { code, stderr } = await psql({ ...azure.client, passfile: undefined });
    expect(code).toBe(2);
    expect(stderr).toContain('no password supplied');
  });
});

test('node-postgres gets in with its own reader of passfiles', async () => {
  serverNowMs = Date.now();
  const env = environment(['localhost:*:*:legacy-app']);
  expect(await commandHere(['once'], env, onTestFinished)).toMatchObject({ exitCode: 0 });
  const { hostaddr: _, ...client } = azure.client;
  const result = await nodePostgres({ ...client, host: 'localhost' });
  expect(result).toMatchObject({ code: 0, stdout: '1\n' });
});
