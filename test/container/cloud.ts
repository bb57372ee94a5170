import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROLE, SERVER_NAME } from '../postgres/azure.ts';
import { relay } from '../postgres/relay.ts';
import { verifyAccessToken } from '../support/fake-entra/access-token.ts';
import { defaultIdentity } from '../support/fake-entra/directory.ts';
import {
  type FakeEntra,
  type FakeEntraOptions,
  startFakeEntra,
} from '../support/fake-entra/server.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { tokenJudge } from '../support/postgres/front/judge.ts';
import { startFront } from '../support/postgres/front/server.ts';
import { startServer } from '../support/postgres/server.ts';

const ENTRA_NAME = 'login.microsoftonline.test';

/** Names by which containers find what runs in this process. */
export const hostNames = [SERVER_NAME, ENTRA_NAME];

/** Entra and a flexible server, in this process, where containers reach them. */
export interface Cloud {
  /** Holds `ca.pem`, which signs for both. */
  readonly trustDirectory: string;
  readonly serverPort: number;
  /** One of its own for each workload, with tokens as short-lived as it likes. */
  startEntra(options: FakeEntraOptions): Promise<FakeEntra>;
  close(): Promise<void>;
}

export async function openCloud(): Promise<Cloud> {
  const trustDirectory = await mkdtemp(join(tmpdir(), 'pgpassd-trust-'));
  await chmod(trustDirectory, 0o755);
  const ca = await createCa();
  await writeFile(join(trustDirectory, 'ca.pem'), ca.certPem);
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [ENTRA_NAME] });
  const server = await startServer();
  await server.sql(`CREATE ROLE "${ROLE}" LOGIN`);
  const front = await startFront({
    server: server.connectTarget,
    certificate: await ca.issue({ hosts: [SERVER_NAME] }),
    judge: tokenJudge({
      verifyAccessToken,
      roles: new Map([[ROLE, defaultIdentity.objectId]]),
      now: Date.now,
    }),
  });
  const relays: NetServer[] = [];
  const expose = async (what: { host: string; port: number }) => {
    const listener = await relay(what, { host: '0.0.0.0', port: 0 });
    relays.push(listener);
    return (listener.address() as AddressInfo).port;
  };
  return {
    trustDirectory,
    serverPort: await expose(front),
    startEntra: async (options) => {
      const entra = await startFakeEntra({ ...options, tls: { cert, key } });
      const port = await expose({ host: '127.0.0.1', port: entra.port });
      return { ...entra, authorityHost: `https://${ENTRA_NAME}:${port}/` };
    },
    close: async () => {
      for (const listener of relays) listener.close();
      await front.close();
      await server.stop();
      await rm(trustDirectory, { recursive: true });
    },
  };
}
