import { parseArgs } from 'node:util';

export interface Options {
  readonly images: Images;
  /** Whether a cluster that cannot run the admission policies is one too old. */
  readonly requireInject: boolean;
}

export interface Images {
  /** Ours. */
  readonly pgpassd: string;
  /** Anything with psql and a shell. */
  readonly psql: string;
  /** What test/kubernetes/Dockerfile makes. */
  readonly azure: string;
}

/** A command line, or an environment, from which no run can be made. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Runs pgpassd and its manifests on the cluster that KUBECONFIG points to, in a namespace of its own,
pgpassd-e2e, which it makes and removes. Entra and PostgreSQL come along; the cluster, its tokens, its
volumes and its kubelet are real. Needs kubectl, and the rights of an administrator.

Usage: npm run test:kubernetes -- [--require-inject]

  PGPASSD_IMAGE     the image to try
  AZURE_IMAGE       the stand-in for Azure: docker build --file test/kubernetes/Dockerfile .
  PSQL_IMAGE        any image with psql and sh (default: postgres:18-alpine)

  --require-inject  fail where manifests/inject cannot be tried: before Kubernetes 1.36
  --help

The cluster must have the images, or be able to pull them.

Exit codes: 0 all went well; 1 not so, and the output says what; 2 wrong usage.
`;

/** @throws UsageError in one sentence */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const { help, 'require-inject': requireInject = false } = parse(args);
  if (help) return 'help';
  return {
    requireInject,
    images: {
      pgpassd: required(env, 'PGPASSD_IMAGE'),
      psql: env['PSQL_IMAGE'] || 'postgres:18-alpine',
      azure: required(env, 'AZURE_IMAGE'),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h' }, 'require-inject': { type: 'boolean' } },
    });
    return values;
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/[.\n]/, 1);
    throw new UsageError(`${sentence}; see --help.`);
  }
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value) return value;
  throw new UsageError(`${name} is not set; see --help.`);
}
