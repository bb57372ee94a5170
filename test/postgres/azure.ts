import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FakeEntra,
  type FakeEntraOptions,
  startFakeEntra,
} from '../support/fake-entra/server.ts';
import { createCa } from '../support/postgres/certificates.ts';
import type { QueryOptions } from '../support/postgres/clients.ts';
import { tokenJudge } from '../support/postgres/front/judge.ts';
import { type Front, startFront } from '../support/postgres/front/server.ts';
import { addRoles, type Server, sharedServer, startServer } from '../support/postgres/server.ts';
import { createProjectedVolume, type ProjectedVolume } from '../support/projected-volume.ts';

/** The name that the certificate, the passfile and the clients go by. */
export const SERVER_NAME = 'my-server.postgres.database.azure.test';
export const ROLE = 'legacy-app';

/** A flexible server, Entra and a pod's volumes: everything around pgpassd. */
export interface Azure {
  readonly server: Server;
  readonly entra: FakeEntra;
  readonly front: Front;
  readonly volume: ProjectedVolume;
  readonly passfile: string;
  /** How the application connects: with a name, a role and PGPASSFILE, and no password. */
  readonly client: QueryOptions & { readonly hostaddr: string };
  close(): Promise<void>;
}

export interface AzureOptions {
  /** The server's clock. */
  readonly serverNow?: () => number;
  /** Whether the server is for this file alone, which does to it what others would notice. */
  readonly ownServer?: boolean;
}

export async function startAzure(
  options: FakeEntraOptions,
  { serverNow = Date.now, ownServer = false }: AzureOptions = {},
): Promise<Azure> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-azure-'));
  const passfile = join(directory, 'pgpass');
  const rootCert = join(directory, 'root.crt');
  const ca = await createCa();
  await writeFile(rootCert, ca.certPem);
  const server = await (ownServer ? startServer() : sharedServer());
  await addRoles(server, [ROLE]);
  const entra = await startFakeEntra(options);
  const front = await startFront({
    server: server.connectTarget,
    certificate: await ca.issue({ hosts: [SERVER_NAME, 'localhost'] }),
    judge: tokenJudge({
      verifyAccessToken: entra.verifyAccessToken,
      roles: new Map([[ROLE, entra.objectId]]),
      now: serverNow,
    }),
  });
  const volume = await createProjectedVolume({ layout: 'nested' });
  await volume.write(await entra.cluster.issueServiceAccountToken());
  return {
    server,
    entra,
    front,
    volume,
    passfile,
    client: {
      host: SERVER_NAME,
      hostaddr: front.host,
      port: front.port,
      user: ROLE,
      database: 'postgres',
      passfile,
      rootCert,
      sslmode: 'verify-full',
    },
    async close() {
      await volume.close();
      await front.close();
      await entra.close();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
