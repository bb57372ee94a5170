import { join } from 'node:path';
import type { Environment } from '../../config/option.ts';
import { systemErrorCode } from '../../support/errors.ts';
import { readRegularFile } from '../../support/files.ts';

/** A service of libpq; of its password, only whether there is one. */
export interface Service {
  readonly file: string;
  readonly hasPassword: boolean;
  readonly passfile: string | undefined;
  /** Its other parameters, as the variables over which they take precedence. */
  readonly variables: Environment;
}

/** https://www.postgresql.org/docs/current/libpq-envars.html */
const variables: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  connect_timeout: 'PGCONNECT_TIMEOUT',
};

/** Far larger than any service file. */
const LARGEST_FILE_BYTES = 1024 * 1024;

/** Where Debian's libpq looks last; other builds have other directories. */
const SYSTEM_DIRECTORY = '/etc/postgresql-common';

/** The files that libpq searches for a service; the first that defines it counts: `parseServiceInfo` in fe-connect.c. */
export function serviceFiles(env: Environment): readonly string[] {
  const own = env['PGSERVICEFILE'] || (env['HOME'] && join(env['HOME'], '.pg_service.conf'));
  const system = join(env['PGSYSCONFDIR'] || SYSTEM_DIRECTORY, 'pg_service.conf');
  return [...(own ? [own] : []), system];
}

/** The service of this name in the first file that defines it. */
export async function findService(name: string, env: Environment): Promise<Service | undefined> {
  for (const file of serviceFiles(env)) {
    const content = await contentOf(file);
    // libpq tries the next file, unless PGSERVICEFILE named this one.
    if (content === undefined && file === env['PGSERVICEFILE']) return undefined;
    const parameters = parametersOf(name, content ?? '');
    if (parameters !== undefined) {
      return {
        file,
        hasPassword: Boolean(parameters.get('password')),
        passfile: parameters.get('passfile') || undefined,
        variables: variablesIn(parameters),
      };
    }
  }
  return undefined;
}

/** The environment as a client sees it, with the parameters of its service in place of the variables. */
export async function withService(env: Environment): Promise<Environment> {
  const name = env['PGSERVICE'];
  const service = name ? await findService(name, env) : undefined;
  return { ...env, ...service?.variables };
}

function variablesIn(parameters: ReadonlyMap<string, string>): Environment {
  const given = Object.entries(variables).map(([keyword, name]) => [name, parameters.get(keyword)]);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** `key=value` lines below `[name]`; `undefined` when there is no such section. */
function parametersOf(name: string, content: string): ReadonlyMap<string, string> | undefined {
  let section: Map<string, string> | undefined;
  let within = false;
  for (const line of content.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (within) break;
      within = line.startsWith(`[${name}]`);
      if (within) section = new Map();
      continue;
    }
    const at = line.indexOf('=');
    if (within && at > 0 && !section?.has(line.slice(0, at))) {
      section?.set(line.slice(0, at), line.slice(at + 1));
    }
  }
  return section;
}

/** `undefined` when it cannot be read: libpq treats it as missing. */
async function contentOf(path: string): Promise<string | undefined> {
  try {
    return (await readRegularFile(path, LARGEST_FILE_BYTES)).toString('utf8');
  } catch (error) {
    return systemErrorCode(error) === undefined ? '' : undefined;
  }
}
