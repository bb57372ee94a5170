import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeEntra, startFakeEntra } from '../support/fake-entra/server.ts';
import { createCa } from '../support/postgres/certificates.ts';
import {
  type ClientOptions,
  findProgram,
  nodePostgres,
  psql,
} from '../support/postgres/clients.ts';
import { azureAudience, tokenJudge } from '../support/postgres/front/judge.ts';
import { type Front, startFront } from '../support/postgres/front/server.ts';
import type { ClientResult } from '../support/postgres/running-client.ts';
import { startServer } from '../support/postgres/server.ts';
import { createProjectedVolume, type ProjectedVolume } from '../support/projected-volume.ts';
import type { Releases } from './releases.ts';

/** Everything around pgpassd: what a pod on AKS would find there. */
export interface Scenery {
  readonly entra: FakeEntra;
  readonly volume: ProjectedVolume;
  /** What pgpassd is configured with. */
  readonly daemonEnv: Readonly<Record<string, string>>;
  /** Connects once, with nothing but a passfile to get in by. */
  readonly connect: () => Promise<ClientResult>;
}

const host = 'localhost';
const user = 'legacy-app';
const database = 'shop';

/** Entra says 9 s of it, pgpassd comes for the next one at half of that. */
const ACCESS_TOKEN_LIFETIME_SECONDS = 10;
/** As long as real ones get: a passfile line must not be cut anywhere. */
const ACCESS_TOKEN_BYTES = 4096;

export const clientName = findProgram('psql') ? 'psql' : 'node-postgres';

export interface SceneryOptions {
  readonly clientId: string | undefined;
  readonly releases: Releases;
  readonly say: (text: string) => void;
}

export async function raiseScenery({ clientId, releases, say }: SceneryOptions): Promise<Scenery> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-demo-'));
  releases.add(() => rm(directory, { recursive: true, force: true }));

  const entra = await startFakeEntra({
    accessTokenLifetimeSeconds: ACCESS_TOKEN_LIFETIME_SECONDS,
    accessTokenBytes: ACCESS_TOKEN_BYTES,
  });
  releases.add(() => entra.close());
  say('starting PostgreSQL');
  const { front, caPem } = await startDatabase(entra, releases, say);
  const rootCert = join(directory, 'ca.pem');
  await writeFile(rootCert, caPem);

  const volume = await createProjectedVolume({ layout: 'nested', parent: directory });
  const passfile = join(directory, 'shared', 'passfile');
  await mkdir(join(directory, 'shared'), { mode: 0o700 });
  return {
    entra,
    volume,
    daemonEnv: {
      PGPASSFILE: passfile,
      PGPASSD_ENTRIES: [host, front.port, database, user].join(':'),
      PGPASSD_LOG_FORMAT: 'json',
      // The usual port may be somebody else's.
      PGPASSD_HTTP_ADDRESS: '127.0.0.1:0',
      PGPASSD_SCOPE: `${azureAudience}/.default`,
      AZURE_AUTHORITY_HOST: entra.authorityHost,
      AZURE_TENANT_ID: entra.tenantId,
      AZURE_CLIENT_ID: clientId ?? entra.clientId,
      AZURE_FEDERATED_TOKEN_FILE: volume.tokenPath,
    },
    connect: () => connect({ host, port: front.port, user, database, passfile, rootCert }),
  };
}

/** A PostgreSQL whose role is let in by its tokens alone, as Azure's flexible server does it. */
async function startDatabase(
  entra: FakeEntra,
  releases: Releases,
  say: (text: string) => void,
): Promise<{ front: Front; caPem: string }> {
  const server = await startServer();
  releases.add(() => server.stop());
  await server.sql(`create role "${user}" login`);
  await server.sql(`create database ${database}`);
  const ca = await createCa();
  const front = await startFront({
    server: server.connectTarget,
    certificate: await ca.issue({ hosts: [host] }),
    judge: tokenJudge({
      verifyAccessToken: entra.verifyAccessToken,
      roles: new Map([[user, entra.objectId]]),
      now: Date.now,
    }),
  });
  releases.add(() => front.close());
  say(`started ${server.description}`);
  return { front, caPem: ca.certPem };
}

function connect(options: ClientOptions): Promise<ClientResult> {
  if (clientName === 'node-postgres') return nodePostgres(options);
  // The front listens on IPv4 alone; on [::1] the port may be somebody else's.
  return psql({ ...options, hostaddr: '127.0.0.1' });
}
