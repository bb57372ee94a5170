import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, normalize } from 'node:path';

/** What the volume shows: contents by path relative to its root. */
type Payload = Readonly<Record<string, string>>;

/** The steps of an update, in kubelet's order; an observer sees the volume after each. */
export type UpdateStep =
  | 'payload-written'
  | 'data-link-prepared'
  | 'data-link-swapped'
  | 'visible-links-made'
  | 'stale-links-removed'
  | 'old-payload-removed';

export interface ProjectedVolumeOptions {
  /**
   * `flat`: the token at the root, as the workload identity webhook mounts it up to 1.5.
   * `nested`: in a directory of its own, as from 1.6. `plain`: no kubelet, an ordinary directory.
   */
  readonly layout: 'flat' | 'nested' | 'plain';
  readonly parent?: string;
  readonly onStep?: (step: UpdateStep) => unknown;
}

export interface ProjectedVolume {
  readonly root: string;
  readonly tokenPath: string;
  /** Makes the token the only file of the volume. */
  write(token: string): Promise<void>;
  writeFiles(payload: Payload): Promise<void>;
  close(): Promise<void>;
}

const tokenName = 'azure-identity-token';
const fileMode = 0o644;

export async function createProjectedVolume({
  layout,
  parent = tmpdir(),
  onStep = () => undefined,
}: ProjectedVolumeOptions): Promise<ProjectedVolume> {
  const root = await mkdtemp(join(parent, 'projected-volume-'));
  await chmod(root, 0o1777);
  const token = layout === 'nested' ? join('token', tokenName) : tokenName;
  const project = layout === 'plain' ? replaceFiles : projectAtomically;
  const writeFiles = async (payload: Payload) => project(root, clean(payload), onStep);
  return {
    root,
    tokenPath: join(root, token),
    write: (content) => writeFiles({ [token]: content }),
    writeFiles,
    close: () => rm(root, { recursive: true, force: true }),
  };
}

type Observer = NonNullable<ProjectedVolumeOptions['onStep']>;

/**
 * The way of kubelet's AtomicWriter (pkg/volume/util/atomic_writer.go). Its older versions made the
 * visible links before they swapped the data link; today's make them after.
 */
async function projectAtomically(root: string, payload: Payload, onStep: Observer): Promise<void> {
  const dataLink = join(root, '..data');
  const oldName = await linkTarget(dataLink);
  const oldDirectory = oldName === undefined ? undefined : join(root, oldName);
  const stale = oldDirectory === undefined ? [] : await stalePaths(oldDirectory, payload);
  const current =
    oldDirectory !== undefined && stale.length === 0 && (await holds(oldDirectory, payload));

  if (!current) {
    const name = await writeTimestamped(root, payload);
    await onStep('payload-written');
    const preparedLink = join(root, '..data_tmp');
    await symlink(name, preparedLink);
    await onStep('data-link-prepared');
    await rename(preparedLink, dataLink);
    await onStep('data-link-swapped');
  }
  await makeVisibleLinks(root, payload);
  await onStep('visible-links-made');
  if (current) return;

  const staleLinks = stale.filter((path) => !path.includes('/'));
  await Promise.all(staleLinks.map((name) => rm(join(root, name))));
  await onStep('stale-links-removed');
  if (oldDirectory !== undefined) await rm(oldDirectory, { recursive: true, force: true });
  await onStep('old-payload-removed');
}

async function writeTimestamped(root: string, payload: Payload): Promise<string> {
  const directory = await mkdtemp(join(root, timestampPrefix(new Date())));
  await chmod(directory, 0o755);
  for (const [path, content] of Object.entries(payload)) {
    await writeWithMode(join(directory, path), content);
  }
  return directory.slice(root.length + 1);
}

/** `..2026_11_24_03_33_07.`, to which a random suffix is added. */
const timestampPrefix = (time: Date): string =>
  `..${time.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '_')}.`;

/** Only the first element of a path is linked; what lies below is reached through it. */
async function makeVisibleLinks(root: string, payload: Payload): Promise<void> {
  const names = new Set(Object.keys(payload).map((path) => path.split('/')[0] ?? path));
  for (const name of names) {
    const target = await linkTarget(join(root, name));
    if (target === undefined) await symlink(join('..data', name), join(root, name));
  }
}

/** Whatever the old payload holds, directories included, that the new one does not. */
async function stalePaths(oldDirectory: string, payload: Payload): Promise<string[]> {
  const kept = new Set(Object.keys(payload).flatMap(withAncestors));
  return (await readdir(oldDirectory, { recursive: true })).filter((path) => !kept.has(path));
}

const withAncestors = (path: string): string[] =>
  path === '.' ? [] : [path, ...withAncestors(dirname(path))];

async function holds(directory: string, payload: Payload): Promise<boolean> {
  for (const [path, content] of Object.entries(payload)) {
    const present = await readFile(join(directory, path), 'utf8').catch(unlessMissing);
    if (present !== content) return false;
  }
  return true;
}

async function replaceFiles(root: string, payload: Payload): Promise<void> {
  for (const [path, content] of Object.entries(payload)) {
    const target = join(root, path);
    await writeWithMode(`${target}.new`, content);
    await rename(`${target}.new`, target);
  }
  const stale = await stalePaths(root, payload);
  await Promise.all(stale.map((path) => rm(join(root, path), { recursive: true, force: true })));
}

async function writeWithMode(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  // Whatever the umask of the process is.
  await chmod(path, fileMode);
}

const linkTarget = (path: string): Promise<string | undefined> =>
  readlink(path).catch(unlessMissing);

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function clean(payload: Payload): Payload {
  return Object.fromEntries(
    Object.entries(payload).map(([path, content]) => {
      if (!isProjectable(path)) throw new Error(`a volume can't hold the path '${path}'`);
      return [normalize(path), content];
    }),
  );
}

/** Names that start with two dots are the writer's own. */
function isProjectable(path: string): boolean {
  const elements = path.split('/');
  return (
    path !== '' &&
    path.length <= 4096 &&
    !isAbsolute(path) &&
    !path.startsWith('..') &&
    elements.every((element) => element !== '..' && element.length <= 255)
  );
}
