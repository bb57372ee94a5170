import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pgpassdEnv, startPgpassd } from '../support/pgpassd-process.ts';
import { findProgram, nodePostgres, pgDump, psql } from '../support/postgres/clients.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { type Azure, ROLE, SERVER_NAME, startAzure } from './azure.ts';

const ROTATIONS = 20;
const TOKEN_BYTES = 4096;

const noPsql = findProgram('psql') === undefined || findProgram('pg_dump') === undefined;

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({ accessTokenLifetimeSeconds: 6, accessTokenBytes: TOKEN_BYTES + 64 });
  console.info(`PostgreSQL: ${azure.server.description}`);
}, startTimeoutMs);
afterAll(() => azure.close());

function run(entries = [`${SERVER_NAME}:*:*:${ROLE}`]) {
  const { entra, volume, passfile } = azure;
  return startPgpassd({
    env: pgpassdEnv({ entra, tokenPath: volume.tokenPath, passfile, entries }),
  });
}

describe.skipIf(noPsql)('unmodified libpq clients (psql and pg_dump must be installed)', () => {
  test(`connect without pause over ${ROTATIONS} rotations of a token whose predecessors expire`, async () => {
    const pgpassd = run();
    await pgpassd.waitFor('token.refreshed');
    let rotating = true;
    const results: { client: string; code: number | null; stderr: string }[] = [];
    const connect = async (client: string, once: () => ReturnType<typeof psql>) => {
      while (rotating) {
        const { code, stderr } = await once();
        results.push({ client, code, stderr });
      }
    };
    const connectsOf = (name: string) => results.filter(({ client }) => client === name).length;
    const enough = () => ['psql', 'pg_dump'].every((name) => connectsOf(name) > ROTATIONS);
    const clients = [
      connect('psql', () => psql(azure.client)),
      connect('pg_dump', () => pgDump(azure.client, '--schema-only')),
    ];
    // A busy machine may need more rotations for as many connects.
    for (let rotation = 0; rotation < ROTATIONS || !enough(); rotation += 1) {
      await pgpassd.waitFor('token.refreshed');
      // Kubelet rotates, too, and much more often than it would.
      if (rotation % 5 === 0) {
        await azure.volume.write(await azure.entra.cluster.issueServiceAccountToken());
      }
    }
    rotating = false;
    await Promise.all(clients);

    expect(results.filter(({ code }) => code !== 0)).toEqual([]);
    expect(azure.front.logins.filter(({ ok }) => !ok)).toEqual([]);
    expect(new Set(azure.entra.issued).size).toBeGreaterThan(ROTATIONS);
    for (const token of azure.entra.issued)
      expect(token.length).toBeGreaterThanOrEqual(TOKEN_BYTES);

    // With pgpassd stopped the same psql gets in until the token expires, and then no more.
    pgpassd.signal('SIGTERM');
    expect((await pgpassd.exited).code).toBe(0);
    expect((await psql(azure.client)).code).toBe(0);
    const refused = await untilRefused();
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
  const pgpassd = run(['localhost:*:*:legacy-app']);
  await pgpassd.waitFor('token.refreshed');
  const { hostaddr: _, ...client } = azure.client;
  const result = await nodePostgres({ ...client, host: 'localhost' });
  expect(result).toMatchObject({ code: 0, stdout: '1\n' });
});

/** The first refusal; every login before it must have been let in. */
async function untilRefused(): ReturnType<typeof psql> {
  for (;;) {
    const result = await psql(azure.client);
    if (result.code !== 0) return result;
  }
}
