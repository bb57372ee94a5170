import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { postgresImage } from '../support/postgres/container-server.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** Without a cache, npm installs and bundles. */
export const buildTimeoutMs = 5 * 60_000;

/** An image that has psql, and nothing of ours. */
export const clientImage = process.env['PGPASSD_CLIENT'] || postgresImage;

/** The base of the last stage. */
export async function runtimeImage(): Promise<string> {
  const dockerfile = await readFile(`${project}/Dockerfile`, 'utf8');
  const [, usual = ''] = /^ARG RUNTIME=(\S+)$/m.exec(dockerfile) ?? [];
  return process.env['PGPASSD_RUNTIME'] || usual;
}

/** Our image: the one that PGPASSD_IMAGE names, or what the Dockerfile makes of this checkout. */
export async function pgpassdImage(): Promise<string> {
  const given = process.env['PGPASSD_IMAGE'];
  if (given) return given;
  const args = ['build', '--quiet', ...buildArgument('BUILDER'), ...buildArgument('RUNTIME')];
  const { stdout } = await promisify(execFile)('docker', [...args, project]);
  return stdout.trim();
}

function buildArgument(name: 'BUILDER' | 'RUNTIME'): string[] {
  const value = process.env[`PGPASSD_${name}`];
  return value ? ['--build-arg', `${name}=${value}`] : [];
}
