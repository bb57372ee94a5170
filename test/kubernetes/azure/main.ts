// Entra and a flexible server for one namespace of a real cluster. Runs in a pod: see azure.yaml.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JSONWebKeySet } from 'jose';
import { defaultIdentity, defaultResource } from '../../support/fake-entra/directory.ts';
import { startEmbeddedServer } from '../../support/postgres/embedded-server.ts';
import { serveFlexibleServer } from './flexible-server.ts';
import type { Observation } from './observation.ts';
import { serveTokenEndpoint } from './token-endpoint.ts';

/** So short that a run sees every token expire that it began with. */
const ACCESS_TOKEN_LIFETIME_SECONDS = 20;
/** How long a month's report takes: all twelve outlive three tokens. */
const REPORT_SECONDS = 6;

const role = 'my-app';
/** The service accounts with a federated credential. */
const federated = ['my-app', 'queue', 'injected'];
const databases = ['appdb', 'sidecar', 'component', 'injected'];

const [folder = '/etc/azure', namespace = ''] = process.argv.slice(2);
const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');

const { issuer } = JSON.parse(await read('openid-configuration')) as { issuer: string };
const clusterKeys = JSON.parse(await read('jwks')) as JSONWebKeySet;
const certificate = { certPem: await read('tls.crt'), keyPem: await read('tls.key') };
const observe = (observation: Observation): void => {
  process.stdout.write(`${JSON.stringify(observation)}\n`);
};

const server = await startEmbeddedServer('in a pod');
await server.sql(`CREATE ROLE "${role}" LOGIN`);
for (const database of databases) await server.sql(`CREATE DATABASE ${database}`);
await server.sql('CREATE PROCEDURE nightly_report() BEGIN ATOMIC SELECT 1; END', 'appdb');
await server.sql(
  `CREATE PROCEDURE yearly_report(month int) BEGIN ATOMIC SELECT pg_sleep(${REPORT_SECONDS}); END`,
  'appdb',
);

const endpoint = await serveTokenEndpoint({
  directory: {
    ...defaultIdentity,
    federatedCredentials: federated.map((name) => ({
      issuer,
      subject: `system:serviceaccount:${namespace}:${name}`,
      audience: defaultIdentity.audience,
    })),
    resources: [defaultResource],
  },
  clusterKeys,
  certificate,
  lifetimeSeconds: ACCESS_TOKEN_LIFETIME_SECONDS,
  port: 8443,
  observe,
});
// Last: the pod is ready when it listens.
const listener = await serveFlexibleServer({
  server,
  certificate,
  role,
  objectId: defaultIdentity.objectId,
  port: 5432,
  observe,
});

process.once('SIGTERM', async () => {
  endpoint.close();
  listener.close();
  await server.stop();
  process.exit();
});
