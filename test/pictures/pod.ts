import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finding } from '../../src/check/step.ts';
import { parseDaemonLine, startDaemon } from '../demo/daemon.ts';
import { type Azure, ROLE, SERVER_NAME, startAzure } from '../postgres/azure.ts';
import { defaultResource } from '../support/fake-entra/directory.ts';
import { createCa } from '../support/postgres/certificates.ts';

/** What differs from run to run, and what the picture shows instead. */
export type Replacement = readonly [changing: string | RegExp, shown: string];

/** A pod with pgpassd in it, and what it connects to. */
export interface Pod {
  readonly azure: Azure;
  /** As `--for` takes it. */
  readonly connection: string;
  /** Starts pgpassd; resolves once the passfile is written, with a function that stops it. */
  startDaemon(): Promise<() => Promise<unknown>>;
  /** What the real `pgpassd check` finds. */
  check(args: readonly string[]): Promise<Finding[]>;
  /** What differs from run to run, and what it is in a real pod. */
  readonly replacements: readonly Replacement[];
}

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const ACCESS_TOKEN_LIFETIME_SECONDS = 24 * 60 * 60;
/** As long as a real one. */
const ACCESS_TOKEN_BYTES = 1800;

export async function openPod(cleanup: AsyncDisposableStack): Promise<Pod> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-pictures-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const ca = await createCa();
  const caFile = join(directory, 'entra-ca.pem');
  await writeFile(caFile, ca.certPem);
  const { certPem: cert, keyPem: key } = await ca.issue({ hosts: ['localhost'] });

  const azure = await startAzure({
    tls: { cert, key },
    accessTokenLifetimeSeconds: ACCESS_TOKEN_LIFETIME_SECONDS,
    accessTokenBytes: ACCESS_TOKEN_BYTES,
  });
  cleanup.defer(() => azure.close());
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
    async startDaemon() {
      const written = Promise.withResolvers<void>();
      const daemon = startDaemon(env, (line) => {
        if (parseDaemonLine(line).event === 'passfile.written') written.resolve();
      });
      cleanup.defer(async () => void (await daemon.stop()));
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
      [volume.root, '/var/run/secrets/azure/wi'],
      [dirname(passfile), '/pgpass'],
    ],
  };
}

function check(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finding[]> {
  return new Promise((settle, reject) => {
    execFile(process.execPath, [program, 'check', ...args, '--json'], { env }, (error, stdout) => {
      try {
        // check exits with 1 when it finds something wrong, which is not an error here.
        settle((JSON.parse(stdout) as { findings: Finding[] }).findings);
      } catch {
        reject(error ?? new Error(`check printed no findings: ${stdout}`));
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
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
