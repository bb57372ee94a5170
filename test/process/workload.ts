import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished as globalOnTestFinished } from 'vitest';
import type { OnTestFinished } from '../support/clean-up.ts';
import { commandHere, type PgpassdHere, startHere } from '../support/command-here.ts';
import {
  type FakeEntra,
  type FakeEntraOptions,
  startFakeEntra,
} from '../support/fake-entra/server.ts';
import { lookUntil } from '../support/look-until.ts';
import {
  type LogPredicate,
  type Pgpassd,
  type PgpassdOptions,
  pgpassdEnv,
  startPgpassd,
} from '../support/pgpassd-process.ts';
import {
  createProjectedVolume,
  type ProjectedVolume,
  type ProjectedVolumeOptions,
} from '../support/projected-volume.ts';

const entries = [
  'my-app.postgres.database.azure.com:5432:shop:legacy-app',
  '*.replica.example.com:*:*:legacy\\:app',
];

/** The log line with which an exchange begins, for whatever reason or for this one. */
export const startedFor =
  (wanted?: 'due' | 'rotation' | 'request'): LogPredicate =>
  ({ event, cause }) =>
    event === 'refresh.started' && (wanted === undefined || cause === wanted);

/** What one pod has: an Entra to ask, a projected token, and a directory for its passfile. */
export interface Workload {
  readonly entra: FakeEntra;
  readonly volume: ProjectedVolume;
  readonly directory: string;
  readonly passfile: string;
  /** What `start` sets unless told otherwise. */
  readonly env: Readonly<Record<string, string>>;
  start(args: readonly string[], options?: Partial<PgpassdOptions>): Pgpassd;
  /** The same without a process of its own: much cheaper where that is not what is tested. */
  startHere(args: readonly string[], options?: Pick<PgpassdOptions, 'env'>): PgpassdHere;
}

export interface WorkloadOptions extends FakeEntraOptions {
  readonly layout?: ProjectedVolumeOptions['layout'];
  /** What the token file holds from the start; a good token unless told otherwise, `null` for no file. */
  readonly federatedToken?: string | null;
  readonly onTestFinished?: OnTestFinished;
}

export async function openWorkload(options: WorkloadOptions = {}): Promise<Workload> {
  const { layout = 'nested', onTestFinished = globalOnTestFinished, ...entraOptions } = options;
  const entra = await startFakeEntra(entraOptions);
  onTestFinished(() => entra.close());
  const volume = await createProjectedVolume({ layout });
  onTestFinished(() => volume.close());
  const directory = await mkdtemp(join(tmpdir(), 'passfile-'));
  onTestFinished(async () => {
    await chmod(directory, 0o700);
    await rm(directory, { recursive: true });
    await rm(awayFrom(directory), { recursive: true, force: true });
  });

  const token = options.federatedToken;
  if (token !== null) await volume.write(token ?? (await entra.cluster.issueServiceAccountToken()));
  const passfile = join(directory, 'pgpass');
  const env = pgpassdEnv({ entra, tokenPath: volume.tokenPath, passfile, entries });
  return {
    entra,
    volume,
    directory,
    passfile,
    env,
    start: (args, given = {}) =>
      startPgpassd({
        args,
        onTestFinished,
        ...given,
        env: { ...env, ...given.env },
      }),
    startHere: (args, given) => startHere({ args, onTestFinished, env: { ...env, ...given?.env } }),
  };
}

/** The passfile that should be in place with `token`, in the format that libpq documents. */
export const passfileWith = (token: string | undefined): string =>
  `${entries[0]}:${token}\n${entries[1]}:${token}\n`;

export interface EarlierRun {
  /** When it ended, as far as the token and the file can tell. */
  readonly agoSeconds: number;
  readonly lifetimeSeconds: number;
}

/** What a run of pgpassd left in place some time ago. Resolves with the file's content. */
export async function leavePassfile(
  { passfile }: Workload,
  { agoSeconds, lifetimeSeconds }: EarlierRun,
): Promise<string> {
  const then = () => Date.now() - agoSeconds * 1000;
  const entra = await startFakeEntra({ now: then, accessTokenLifetimeSeconds: lifetimeSeconds });
  const volume = await createProjectedVolume({ layout: 'plain' });
  const stops: (() => void)[] = [];
  try {
    const lifeOfAssertion = { lifetimeSeconds: agoSeconds + 3600 };
    await volume.write(await entra.cluster.issueServiceAccountToken(lifeOfAssertion));
    const env = pgpassdEnv({ entra, tokenPath: volume.tokenPath, passfile, entries });
    const earlier = await commandHere(['once'], env, (stop) => stops.push(stop));
    expect(earlier).toMatchObject({ exitCode: 0 });
  } finally {
    for (const stop of stops) stop();
    await entra.close();
    await volume.close();
  }
  await utimes(passfile, then() / 1000, then() / 1000);
  return readFile(passfile, 'utf8');
}

const awayFrom = (directory: string): string => `${directory}-away`;

/** At once and whole, where a removal would go from file to file and find new ones. */
export function takeAway(directory: string): Promise<void> {
  return rename(directory, awayFrom(directory));
}

/** Does what pgpassd is to find done when it goes on. */
export async function whileStopped(pgpassd: Pgpassd, work: () => Promise<unknown>): Promise<void> {
  pgpassd.signal('SIGSTOP');
  const stopped = async () =>
    /^State:\tT/m.test(await readFile(`/proc/${pgpassd.pid}/status`, 'utf8'));
  await lookUntil(stopped);
  await work();
  pgpassd.signal('SIGCONT');
}

/** What distinguishes an untouched file from one that was written again. */
export async function fingerprint(path: string): Promise<object> {
  const { ino, mode, uid, gid, mtimeMs } = await stat(path);
  return { ino, mode, uid, gid, mtimeMs, content: await readFile(path, 'utf8') };
}

/** The names beside the passfile and its own; anything unexpected is a leftover. */
export const namesIn = (directory: string): Promise<string[]> => readdir(directory);

/** Standard error holds sentences for the operator and nothing else. */
export function sentencesOf(errors: string): string[] {
  const prefix = 'pgpassd: ';
  const lines = errors.trimEnd().split('\n');
  const foreign = lines.find((line) => !line.startsWith(prefix));
  if (foreign !== undefined) throw new Error(`on standard error: ${foreign}`);
  return lines.map((line) => line.slice(prefix.length));
}
