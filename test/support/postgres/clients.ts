import { accessSync, constants, globSync, realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClientResult, type RunningClient, runClient } from './running-client.ts';

/** What an application is configured with. There is no password: that is the passfile's part. */
export interface ClientOptions {
  host: string;
  /** Where libpq connects, instead of resolving the name that certificate and passfile go by. */
  hostaddr?: string;
  port: number;
  user: string;
  database: string;
  /** Undefined leaves the client with no passfile at all. */
  passfile: string | undefined;
  /** A PEM file, which `verify-full` needs. */
  rootCert?: string;
  sslmode?: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
}

export interface QueryOptions extends ClientOptions {
  sql?: string;
}

const psqlArguments = ['-w', '-X', '-A', '-t'];

/** Runs one statement; its rows are printed bare. */
export async function psql({ sql = 'select 1', ...options }: QueryOptions): Promise<ClientResult> {
  return await finished(clientProgram('psql'), [...psqlArguments, '-c', sql], options);
}

/** A psql that reads its statements from `type`. */
export async function openPsql(options: ClientOptions): Promise<RunningClient> {
  return await start(clientProgram('psql'), psqlArguments, options);
}

export async function pgDump(options: ClientOptions, ...args: string[]): Promise<ClientResult> {
  return await finished(clientProgram('pg_dump'), ['-w', ...args], options);
}

/** The same through node-postgres, whose reader of passfiles is not libpq's. */
export async function nodePostgres({
  sql = 'select 1',
  ...options
}: Omit<QueryOptions, 'hostaddr'>): Promise<ClientResult> {
  const script = fileURLToPath(new URL('pg-client.ts', import.meta.url));
  return await finished(process.execPath, ['--no-warnings', script, sql], options);
}

export function findProgram(name: string): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

const found = new Map<string, string>();

/**
 * A program of PostgreSQL. Debian's are a Perl script that starts the newest release: to look for that takes
 * several times as long as a connect, and so it is done once.
 */
export function clientProgram(name: string): string {
  const program = found.get(name) ?? (isWrapped(name) ? newestRelease(name) : name);
  found.set(name, program);
  return program;
}

function isWrapped(name: string): boolean {
  const path = findProgram(name);
  return path !== undefined && basename(realpathSync(path)) === 'pg_wrapper';
}

function newestRelease(name: string): string {
  const releases = globSync(`/usr/lib/postgresql/*/bin/${name}`);
  const [newest = name] = releases.sort((a, b) => b.localeCompare(a, undefined, { numeric: true }));
  return newest;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Everything goes through the environment, one variable each: no value can be mistaken for another
 * option or for a connection string, whatever characters it has.
 */
function environment(options: ClientOptions, home: string): NodeJS.ProcessEnv {
  const { host, hostaddr, port, user, database, passfile, rootCert } = options;
  return {
    PATH: process.env['PATH'],
    HOME: home,
    LANG: 'C.UTF-8',
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGSSLMODE: options.sslmode ?? 'verify-full',
    PGCONNECT_TIMEOUT: '20',
    ...(hostaddr !== undefined && { PGHOSTADDR: hostaddr }),
    ...(rootCert !== undefined && { PGSSLROOTCERT: rootCert }),
    ...(passfile !== undefined && { PGPASSFILE: passfile }),
  };
}

async function finished(
  program: string,
  args: string[],
  options: ClientOptions,
): Promise<ClientResult> {
  const client = await start(program, args, options);
  return await client.finish();
}

async function start(
  program: string,
  args: string[],
  options: ClientOptions,
): Promise<RunningClient> {
  const home = await mkdtemp(join(tmpdir(), 'pgpassd-home-'));
  return runClient(program, args, environment(options, home), () =>
    rm(home, { recursive: true, force: true }),
  );
}
