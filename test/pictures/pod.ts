import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finding } from '../../src/check/finding.ts';
import { parseDaemonLine } from '../demo/daemon-log.ts';
import { startDaemon } from '../demo/daemon-process.ts';
import type { Releases } from '../demo/releases.ts';
import { type Azure, ROLE, SERVER_NAME, startAzure } from '../postgres/azure.ts';
import { defaultResource } from '../support/fake-entra/directory.ts';
import { createCa } from '../support/postgres/certificates.ts';
import type { Replacement } from './steady.ts';

/** A pod with pgpassd in it, and what it reaches. */
export interface Pod {
  readonly azure: Azure;
  /** As `--for` takes it. */
  readonly connection: string;
  /** Starts pgpassd; resolves with what stops it, once the passfile is written. */
  keepCurrent(): Promise<() => Promise<unknown>>;
  /** What the real `pgpassd check` finds. */
  check(args: readonly string[]): Promise<Finding[]>;
  /** What is different here on every run, and what it is called in a real pod. */
  readonly replacements: readonly Replacement[];
}

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const ACCESS_TOKEN_LIFETIME_SECONDS = 24 * 60 * 60;
/** As long as real ones get. */
const ACCESS_TOKEN_BYTES = 1800;

export async function openPod(releases: Releases): Promise<Pod> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-pictures-'));
  releases.add(() => rm(directory, { recursive: true, force: true }));
  const ca = await createCa();
  const caFile = join(directory, 'entra-ca.pem');
  await writeFile(caFile, ca.certPem);
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: ['localhost'] });

  const azure = await startAzure({
    tls: { cert, key },
    accessTokenLifetimeSeconds: ACCESS_TOKEN_LIFETIME_SECONDS,
    accessTokenBytes: ACCESS_TOKEN_BYTES,
  });
  releases.add(() => azure.close());
  const { entra, front, volume, passfile, client } = azure;
  const httpPort = await unusedPort();
  const connection = `${SERVER_NAME}:${front.port}:${client.database}:${ROLE}`;
  const env = {
    AZURE_AUTHORITY_HOST: `https://localhost:${entra.port}/`,
    AZURE_TENANT_ID: entra.tenantId,
    AZURE_CLIENT_ID: entra.clientId,
    AZURE_FEDERATED_TOKEN_FILE: volume.tokenPath,
    PGPASSFILE: passfile,
    PGPASSD_ENTRIES: connection,
    PGPASSD_SCOPE: `${defaultResource}/.default`,
    PGPASSD_CA_FILE: caFile,
    PGPASSD_HTTP_ADDRESS: `127.0.0.1:${httpPort}`,
    PGPASSD_LOG_FORMAT: 'json',
    PGHOSTADDR: client.hostaddr,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: client.rootCert ?? 'system',
  };
  return {
    azure,
    connection,
    async keepCurrent() {
      const written = Promise.withResolvers<void>();
      const daemon = startDaemon(env, (line) => {
        if (parseDaemonLine(line).event === 'passfile.written') written.resolve();
      });
      releases.add(() => daemon.stop());
      const ended = daemon.ended.then(({ stderr }) => Promise.reject(new Error(stderr)));
      await Promise.race([written.promise, ended]);
      return () => daemon.stop();
    },
    check: (args) => check(args, env),
    replacements: [
      [`127.0.0.1:${entra.port}`, '203.0.113.10:443'],
      [`localhost:${entra.port}`, 'login.microsoftonline.com'],
      ['localhost', 'login.microsoftonline.com'],
      [`${SERVER_NAME}:${front.port}`, 'my-server.postgres.database.azure.com:5432'],
      [SERVER_NAME, 'my-server.postgres.database.azure.com'],
      [`(${front.host})`, '(10.0.4.5)'],
      [`${httpPort}`, '8432'],
      [volume.root, '/var/run/secrets/azure/tokens'],
      [dirname(passfile), '/pgpass'],
    ],
  };
}

function check(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finding[]> {
  return new Promise((settle, reject) => {
    execFile(process.execPath, [program, 'check', ...args, '--json'], { env }, (error, stdout) => {
      try {
        // Something wrong is an exit code, and no error here.
        settle((JSON.parse(stdout) as { findings: Finding[] }).findings);
      } catch {
        reject(error ?? new Error(`no findings: ${stdout}`));
      }
    });
  });
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
