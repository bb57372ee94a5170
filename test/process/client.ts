import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type PgpassdHere, startHere } from '../support/command-here.ts';
import { lookUntil } from '../support/look-until.ts';
import { type Pgpassd, type PgpassdOptions, startPgpassd } from '../support/pgpassd-process.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

export const tokenLasting = (seconds: number) =>
  unsignedJwt({ exp: Math.floor(Date.now() / 1000) + seconds, oid: 'a-principal-id' });
export const lineWith = (password: string) => `server:5432:*:app:${password}\n`;

type CleanUp = PgpassdOptions['onTestFinished'];

/** The application's side of a pod: a passfile, and nothing of Azure. */
export async function openClient(finished: NonNullable<CleanUp> = onTestFinished) {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-wait-'));
  finished(() => rm(directory, { recursive: true }));
  const passfile = join(directory, 'pgpass');
  return {
    directory,
    passfile,
    /** In one rename, as pgpassd does it. */
    async publish(content: string, mode = 0o600): Promise<void> {
      await writeFile(`${passfile}.new`, content);
      await chmod(`${passfile}.new`, mode);
      await rename(`${passfile}.new`, passfile);
    },
    start: (args: readonly string[] = [], options: Partial<PgpassdOptions> = {}): Pgpassd =>
      startPgpassd({
        args: ['wait', ...args],
        onTestFinished: finished,
        ...options,
        env: { PGPASSFILE: passfile, ...options.env },
      }),
    startHere: (args: readonly string[] = [], env: PgpassdOptions['env'] = {}): PgpassdHere =>
      startHere({
        args: ['wait', ...args],
        onTestFinished: finished,
        env: { PGPASSFILE: passfile, ...env },
      }),
  };
}

export async function until(
  pgpassd: PgpassdHere | Pgpassd,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  let ended = false;
  void pgpassd.exited.then(() => {
    ended = true;
  });
  await lookUntil(async () => {
    if (await condition()) return true;
    if (ended) throw new Error(`pgpassd ended too early:\n${pgpassd.output()}`);
    return false;
  });
}

export const untilItTells = (pgpassd: PgpassdHere | Pgpassd, words: string) =>
  until(pgpassd, () => pgpassd.errors().includes(words));
