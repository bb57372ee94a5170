import { access, constants, lstat, readFile, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Environment } from '../config/option.ts';
import type { NumericOwner } from '../config/values.ts';
import { type FoundPassfile, readPassfile } from '../passfile/inspect.ts';
import { systemErrorCode } from '../support/errors.ts';
import { watchableDirectory } from '../support/file-watcher.ts';
import { isDirectory, readRegularFile, withoutLinks } from '../support/files.ts';

/** The passfile as a client finds it. */
export interface PassfileAt {
  /** Absolute. */
  readonly path: string;
  readonly found: FoundPassfile;
}

/** `undefined` when no setting names one. */
export async function findPassfile(setting: string | undefined): Promise<PassfileAt | undefined> {
  if (setting === undefined) return undefined;
  const path = resolve(setting);
  return { path, found: await readPassfile(path) };
}

/** Where a client looks when no setting names a passfile; `undefined` when it has no home either. */
export function defaultPassfile({ HOME }: Environment): string | undefined {
  return HOME ? `${HOME}/.pgpass` : undefined;
}

/** Whether both names lead to the same place: /var/run is usually a link to /run. */
export async function isSamePath(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map(withoutLinks));
  return first === second;
}

/** How the file of a federated token is mounted. */
export interface TokenFile {
  /** Absolute. */
  readonly path: string;
  /**
   * `flat`: a link into the volume's `..data`. `nested`: below a directory that is one. `plain`: not in
   * a volume of kubelet's. `frozen`: a mount of its own, as `subPath` makes it; it never changes.
   */
  readonly layout: 'flat' | 'nested' | 'plain' | 'frozen';
  /** By our wall clock, in milliseconds since the epoch; absent when it is unknown. */
  readonly modifiedMs: number | undefined;
}

/** Inspects the file, which need not exist. Never rejects. */
export async function inspectTokenFile(file: string): Promise<TokenFile> {
  const path = resolve(file);
  const stats = await stat(path).catch(() => undefined);
  return { path, layout: await volumeLayoutOf(path), modifiedMs: stats?.mtimeMs };
}

async function volumeLayoutOf(path: string): Promise<TokenFile['layout']> {
  if (isFrozen(await withoutLinks(path), await readMounts())) return 'frozen';
  const directory = await watchableDirectory(path);
  const data = await lstat(join(directory, '..data')).catch(() => undefined);
  if (!data?.isSymbolicLink()) return 'plain';
  return directory === dirname(path) ? 'flat' : 'nested';
}

/**
 * The error that putting a file of `sizeBytes` in place at `path` would fail with, such as `EROFS`;
 * `undefined` when none is foreseen. Writes nothing to find out.
 */
export async function foreseeWriteError(
  path: string,
  sizeBytes: number,
): Promise<string | undefined> {
  const directory = dirname(path);
  try {
    if (!(await stat(directory)).isDirectory()) return 'ENOTDIR';
    if (await isMounted(path)) return (await isDirectory(path)) ? 'EISDIR' : 'EBUSY';
    await access(directory, constants.W_OK | constants.X_OK);
    const { blocks, bavail, bsize, files, ffree } = await statfs(directory);
    const outOfNodes = files > 0 && ffree === 0;
    // A file system without blocks has no limit, such as a tmpfs of size=0.
    const outOfRoom = blocks > 0 && bavail * bsize < sizeBytes;
    return outOfNodes || outOfRoom ? 'ENOSPC' : undefined;
  } catch (error) {
    return systemErrorCode(error) ?? 'unknown error';
  }
}

/** Whether the file is a mount of its own, as `subPath` makes it, so that it never changes. */
export async function neverChanges(path: string): Promise<boolean> {
  if (await isDirectory(path)) return false;
  return isFrozen(await withoutLinks(path), await readMounts());
}

/** Whether something is mounted at exactly this path, so that no rename can replace it. */
async function isMounted(path: string): Promise<boolean> {
  const place = join(await withoutLinks(dirname(path)), basename(path));
  return mountOf(place, await readMounts())?.point === place;
}

/** A bit of `CapEff`: https://man7.org/linux/man-pages/man7/capabilities.7.html */
const CAP_CHOWN = 1n << 0n;

/** Whether this process may give a file to `owner`; assumed where the system does not say. */
export async function mayGiveAway({ uid, gid }: NumericOwner): Promise<boolean> {
  const groups = [process.getgid?.(), ...(process.getgroups?.() ?? [])];
  if (uid === process.getuid?.() && (gid === undefined || groups.includes(gid))) return true;
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const [, capabilities] = /^CapEff:\s*([\da-f]+)$/m.exec(status) ?? [];
  return capabilities === undefined || (BigInt(`0x${capabilities}`) & CAP_CHOWN) !== 0n;
}

/** A mount takes a few hundred bytes; no container has thousands of them. */
const LARGEST_MOUNTINFO_BYTES = 1024 * 1024;

/** The mounts of our own mount namespace; none where the system does not say. */
async function readMounts(): Promise<readonly Mount[]> {
  const table = await readRegularFile('/proc/self/mountinfo', LARGEST_MOUNTINFO_BYTES).catch(
    () => undefined,
  );
  return table === undefined ? [] : parseMountinfo(table.toString('utf8'));
}

/** One line of `/proc/PID/mountinfo`: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
export interface Mount {
  /** The mounted directory or file as a path in its file system; `/` for all of it. */
  readonly root: string;
  /** Where it is mounted, without symbolic links. */
  readonly point: string;
  readonly options: readonly string[];
  /** Such as `tmpfs` or `overlay`. */
  readonly type: string;
}

export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    // Any number of optional fields comes before the dash.
    const [before = '', after] = line.split(' - ', 2);
    const [, , , root, point, options] = before.split(' ');
    const [type] = after?.split(' ') ?? [];
    if (root === undefined || point === undefined || type === undefined) return [];
    return [
      {
        root: unescaped(root),
        point: unescaped(point),
        options: options?.split(',') ?? [],
        type: unescaped(type),
      },
    ];
  });
}

/** Spaces, line breaks and backslashes are escaped as the three octal digits of their byte. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The mount that `path` is on; the path is absolute and without symbolic links. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let innermost: Mount | undefined;
  for (const mount of mounts) {
    // Of several mounts at one point, the last hides the others.
    if (isWithin(path, mount.point) && mount.point.length >= (innermost?.point.length ?? 0)) {
      innermost = mount;
    }
  }
  return innermost;
}

function isWithin(path: string, point: string): boolean {
  return path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
}

/** The directory in which kubelet's AtomicWriter keeps one version of a volume's content, such as `..2026_11_24_03_33_07.123`. */
const VOLUME_VERSION = /(?:^|\/)\.\.\d{4}(?:_\d\d){5}\.[^/]+/;

/**
 * Whether the file at `path` is mounted apart from its volume, as with `subPath`: kubelet publishes
 * new versions of the volume elsewhere, and this file never changes.
 */
export function isFrozen(path: string, mounts: readonly Mount[]): boolean {
  const mount = mountOf(path, mounts);
  return mount !== undefined && (mount.point === path || VOLUME_VERSION.test(mount.root));
}

/** A service of libpq; of its password, only whether there is one. */
export interface Service {
  readonly file: string;
  readonly hasPassword: boolean;
  readonly passfile: string | undefined;
  /** Its other parameters, as the variables over which they take precedence. */
  readonly variables: Environment;
}

/** https://www.postgresql.org/docs/current/libpq-envars.html */
const variableOfKeyword: Readonly<Record<string, string>> = {
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
const LARGEST_SERVICE_FILE_BYTES = 1024 * 1024;

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
    const content = await serviceFileContent(file);
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
  const given = Object.entries(variableOfKeyword).map(([keyword, name]) => [
    name,
    parameters.get(keyword),
  ]);
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
async function serviceFileContent(path: string): Promise<string | undefined> {
  try {
    return (await readRegularFile(path, LARGEST_SERVICE_FILE_BYTES)).toString('utf8');
  } catch (error) {
    return systemErrorCode(error) === undefined ? '' : undefined;
  }
}
