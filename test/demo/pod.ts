import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Everything around pgpassd: what it would find in a pod on AKS. */
export interface Pod {
  readonly entra: FakeEntra;
  readonly volume: ProjectedVolume;
  /** What pgpassd is configured with. */
  readonly daemonEnv: Readonly<Record<string, string>>;
  /** Connects once; the passfile is the only place with a password. */
  readonly connect: () => Promise<ClientResult>;
}

const host = 'localhost';
const user = 'legacy-app';
const database = 'shop';

/**
 * Entra answers with 9 s, and pgpassd refreshes the token after half of that. A test on a machine with much
 * other work takes longer ones.
 */
const ACCESS_TOKEN_LIFETIME_SECONDS = Number(process.env['DEMO_TOKEN_SECONDS'] ?? 10);
/** As long as the longest real ones, to see that no part cuts a long line. */
const ACCESS_TOKEN_BYTES = 4096;

export const clientName = findProgram('psql') ? 'psql' : 'node-postgres';

export interface PodOptions {
  readonly clientId: string | undefined;
  readonly cleanup: AsyncDisposableStack;
  /** Called with what is being started. */
  readonly onProgress: (text: string) => void;
}

export async function openPod({ clientId, cleanup, onProgress }: PodOptions): Promise<Pod> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-demo-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));

  const entra = await startFakeEntra({
    accessTokenLifetimeSeconds: ACCESS_TOKEN_LIFETIME_SECONDS,
    accessTokenBytes: ACCESS_TOKEN_BYTES,
  });
  cleanup.defer(() => entra.close());
  onProgress('starting PostgreSQL');
  const { front, caPem } = await startDatabase(entra, cleanup, onProgress);
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
      // Repeated failures are logged at this level.
      PGPASSD_LOG_LEVEL: 'debug',
      // The default port may be in use.
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

/** A PostgreSQL that accepts its role's tokens and nothing else, as Azure's flexible server does. */
async function startDatabase(
  entra: FakeEntra,
  cleanup: AsyncDisposableStack,
  onProgress: (text: string) => void,
): Promise<{ front: Front; caPem: string }> {
  const server = await startServer();
  cleanup.defer(() => server.stop());
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
  cleanup.defer(() => front.close());
  onProgress(`started ${server.description}`);
  return { front, caPem: ca.certPem };
}

function connect(options: ClientOptions): Promise<ClientResult> {
  if (clientName === 'node-postgres') return nodePostgres(options);
  // The front listens on IPv4 only; another program may have the port on [::1].
  return psql({ ...options, hostaddr: '127.0.0.1' });
}

/** So short that a pgpassd which missed a rotation would soon fail. */
const FEDERATED_TOKEN_LIFETIME_SECONDS = 20;
const ROTATION_INTERVAL_MS = 7_000;

/** Projects a service-account token as kubelet does. */
export async function projectToken(
  { entra, volume }: Pod,
  onRotation: (expiresAtMs: number) => void,
): Promise<void> {
  const token = await entra.cluster.issueServiceAccountToken({
    lifetimeSeconds: FEDERATED_TOKEN_LIFETIME_SECONDS,
  });
  const expiresAtMs = Date.now() + FEDERATED_TOKEN_LIFETIME_SECONDS * 1000;
  await volume.write(token);
  onRotation(expiresAtMs);
}

/** Replaces the token long before it expires, until `signal` aborts. */
export async function rotateRegularly(
  pod: Pod,
  onRotation: (expiresAtMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(ROTATION_INTERVAL_MS, undefined, { signal }).catch(() => {});
    if (!signal.aborted) await projectToken(pod, onRotation);
  }
}
