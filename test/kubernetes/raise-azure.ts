import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCa } from '../support/postgres/certificates.ts';
import type { Kubectl } from './kubectl.ts';
import { withImages } from './manifests.ts';
import type { Images } from './options.ts';

/** Entra and PostgreSQL for the namespace; the Entra trusts this cluster, by the keys it publishes. */
export async function raiseAzure(kubectl: Kubectl, images: Images): Promise<void> {
  const ca = await createCa();
  const certificate = await ca.issue({ hosts: ['entra', 'database'] });
  const published = async (path: string): Promise<string> =>
    (await kubectl.run(['get', `--raw=${path}`])).stdout;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'azure' },
    stringData: {
      'tls.crt': certificate.certPem,
      'tls.key': certificate.keyPem,
      'openid-configuration': await published('/.well-known/openid-configuration'),
      jwks: await published('/openid/v1/jwks'),
    },
  };
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'azure-ca' },
    data: { 'ca.crt': ca.certPem },
  };
  const list = { apiVersion: 'v1', kind: 'List', items: [secret, configMap] };
  await kubectl.apply(JSON.stringify(list));
  const manifests = await readFile(join(import.meta.dirname, 'azure/azure.yaml'), 'utf8');
  await kubectl.apply(withImages(manifests, images));
  await kubectl.run(['rollout', 'status', 'deployment/azure', '--timeout=120s']);
}
