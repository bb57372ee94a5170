import type { Config } from './config.ts';
import type { Environment } from './given.ts';

/** A file that is read, by us or by a client, and so must not be the passfile. */
export interface ReadFile {
  /** As messages name it. */
  readonly setting: string;
  readonly path: string;
}

/** Of the ecosystem: Node's, OpenSSL's and libpq's own. */
const variables = [
  'AZURE_KUBERNETES_CA_FILE',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'PGSERVICEFILE',
  'PGSSLCERT',
  'PGSSLKEY',
  'PGSSLROOTCERT',
] as const;

/** The files that settings and environment name, apart from the passfile and its template. */
export function filesToRead(
  { source }: Pick<Config, 'source'>,
  env: Environment,
): readonly ReadFile[] {
  const own: [string, string | undefined][] =
    source.kind === 'workload-identity'
      ? [
          ['--federated-token-file (AZURE_FEDERATED_TOKEN_FILE)', source.federatedTokenFile],
          ['--ca-file (PGPASSD_CA_FILE)', source.caFile],
        ]
      : [['AZURE_FEDERATED_TOKEN_FILE', env['AZURE_FEDERATED_TOKEN_FILE']]];
  const others = variables.map((name): [string, string | undefined] => [name, env[name]]);
  return [...own, ...others].flatMap(([setting, path]) => (path ? [{ setting, path }] : []));
}

/** What is wrong with the passfile's path for a command that writes there; nothing of the path itself. */
export function objectionToPath(path: string): string | undefined {
  return path.startsWith('/')
    ? undefined
    : '--passfile (PGPASSFILE) is a relative path: each container would look for it in a working directory of its own; begin it with /';
}
