import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getContainerRuntimeClient } from 'testcontainers';
import { ROLE, SERVER_NAME } from '../postgres/azure.ts';
import type { FakeEntra, FakeEntraOptions } from '../support/fake-entra/server.ts';
import { pgpassdEnv } from '../support/pgpassd-process.ts';
import { createProjectedVolume, type ProjectedVolume } from '../support/projected-volume.ts';
import { type Application, startApplication } from './application.ts';
import { type Cloud, hostNames } from './cloud.ts';
import { type CleanUp, Container, type Mount } from './container.ts';
import { clientImage } from './images.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';

/** Where the containers of a pod have their volumes. */
const AT = {
  trust: '/trust',
  token: '/var/run/secrets/azure/wi',
  passfiles: '/pgpass',
} as const;

/** The user of our image, and of a client that is to read what it writes. */
export const UID = 65532;

export interface PodOptions extends FakeEntraOptions {
  /** What the passfile is on: an emptyDir in memory, unless told otherwise, or one on disk. */
  readonly volume?: 'tmpfs' | 'disk';
}

interface MemberOptions {
  readonly uid?: number;
  /** Instead of the volume with the passfile: what to mount where. */
  readonly mounts?: readonly Mount[];
}

interface SidecarOptions extends MemberOptions {
  /** A command and its settings; `run`, unless told otherwise. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another program than the image's. */
  readonly entrypoint?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly memoryMiB?: number;
  /** Under a process 1 of the engine's, instead of the image's. */
  readonly init?: boolean;
  readonly pidsLimit?: number;
  /** Reached from this machine, and started once its startup probe says so. */
  readonly probed?: boolean;
}

interface ApplicationOptions extends MemberOptions {
  /** What it does instead of connecting for ever. */
  readonly script?: string;
  /** How it mounts the passfile's volume; as the manifests do, unless told otherwise. */
  readonly mode?: Mount['mode'];
}

/** Containers that share what those of one pod share. */
export interface Pod {
  readonly entra: FakeEntra;
  readonly token: ProjectedVolume;
  startSidecar(options?: SidecarOptions): Promise<Sidecar>;
  startApplication(options?: ApplicationOptions): Promise<Application>;
}

/** Opens a pod for the time of a test. */
export async function openPod(
  cloud: Cloud,
  image: string,
  { onTestFinished }: { readonly onTestFinished: CleanUp },
  { volume: kind = 'tmpfs', ...entraOptions }: PodOptions,
): Promise<Pod> {
  const entra = await cloud.startEntra(entraOptions);
  onTestFinished(() => entra.close());
  const token = await createProjectedVolume({ layout: 'nested' });
  onTestFinished(() => token.close());
  await token.write(await entra.cluster.issueServiceAccountToken());
  const volume = kind === 'tmpfs' ? await createTmpfs() : await createDirectory();
  onTestFinished(volume.remove);

  const passfile = join(AT.passfiles, 'pgpass');
  const trust: Mount = { source: cloud.trustDirectory, target: AT.trust, mode: 'ro' };
  const projected: Mount = { source: token.root, target: AT.token, mode: 'ro' };
  const shared = (mode: Mount['mode']): Mount => ({
    source: volume.source,
    target: AT.passfiles,
    mode,
  });
  const member = (name: string, { uid = UID }: MemberOptions) =>
    new Container(name)
      .withUser(String(uid))
      .withExtraHosts(hostNames.map((host) => ({ host, ipAddress: 'host-gateway' })));

  return {
    entra,
    token,
    startApplication: ({ mode = 'ro', script, ...options } = {}) =>
      startApplication(
        member(clientImage, options)
          .withMounts([trust, ...(options.mounts ?? [shared(mode)])])
          .withEnvironment({
            PGHOST: SERVER_NAME,
            PGPORT: String(cloud.serverPort),
            PGUSER: ROLE,
            PGDATABASE: 'postgres',
            PGPASSFILE: passfile,
            PGSSLMODE: 'verify-full',
            PGSSLROOTCERT: `${AT.trust}/ca.pem`,
            PGCONNECT_TIMEOUT: '20',
          }),
        script,
        onTestFinished,
      ),
    startSidecar: ({ args = ['run'], capabilities = [], ...options } = {}) =>
      startSidecar(
        withEntrypoint(member(image, options), options.entrypoint)
          .hardened(options.memoryMiB)
          .withInit(options.init ?? false)
          .withPidsLimit(options.pidsLimit)
          .withProbes(options.probed ?? false)
          .withAddedCapabilities(...capabilities)
          .withMounts([trust, projected, ...(options.mounts ?? [shared('rw')])])
          .withEnvironment({
            ...pgpassdEnv({
              entra,
              tokenPath: join(AT.token, 'token', 'azure-identity-token'),
              passfile,
              entries: [`${SERVER_NAME}:${cloud.serverPort}:*:${ROLE}`],
            }),
            PGPASSD_CA_FILE: `${AT.trust}/ca.pem`,
            PGSSLROOTCERT: `${AT.trust}/ca.pem`,
            // Where the probes are that manifests name.
            PGPASSD_HTTP_ADDRESS: '',
            ...options.env,
          })
          .withCommand([...args]),
        onTestFinished,
      ),
  };
}

function withEntrypoint(container: Container, entrypoint: readonly string[] | undefined) {
  return entrypoint === undefined ? container : container.withEntrypoint([...entrypoint]);
}

interface Volume {
  readonly source: string;
  readonly remove: () => Promise<void>;
}

/** It is empty again when no container is left that uses it: one should keep it open. */
async function createTmpfs(): Promise<Volume> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const { name: source } = await dockerode.createVolume({
    Name: `pgpassd-${randomUUID()}`,
    Driver: 'local',
    DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=0777' },
  });
  return { source, remove: () => dockerode.getVolume(source).remove() };
}

async function createDirectory(): Promise<Volume> {
  const source = await mkdtemp(join(tmpdir(), 'pgpassd-pod-'));
  await chmod(source, 0o777);
  return { source, remove: () => rm(source, { recursive: true }) };
}
