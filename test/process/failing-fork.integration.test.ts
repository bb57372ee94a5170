import { execFile } from 'node:child_process';
import { chown, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'vitest';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { portOf, probe, probeUntil } from './probing.ts';
import { openWorkload, startedFor, type Workload } from './workload.ts';

/** Lives for long: only SIGHUP asks for the next one. The shell starts another process for it. */
const command = `sh -c "echo a-token-of-a-command | cat"`;

/** The superuser may start as many processes as it likes. */
const isRoot = process.getuid?.() === 0;
/** Nothing else runs as these users. */
let lastUid = 61_234;
const nextUser = () => (isRoot ? { uid: ++lastUid } : {});

interface Limited extends Pgpassd {
  readonly uid?: number;
}

/** Sets a soft limit of a running process, as the user it runs as. */
async function limit({ pid, uid }: Limited, what: 'nofile' | 'nproc', soft: number): Promise<void> {
  const user = uid === undefined ? {} : { uid, gid: uid };
  await promisify(execFile)('prlimit', ['--pid', String(pid), `--${what}=${soft}:`], user);
}

async function countOf(what: 'fd' | 'task', { pid }: Pgpassd): Promise<number> {
  return (await readdir(`/proc/${pid}/${what}`)).length;
}

interface Want {
  readonly what: string;
  readonly systemCode: string;
  readonly remedy: RegExp;
  readonly exhaust: (pgpassd: Limited) => Promise<void>;
  readonly relieve: (pgpassd: Limited) => Promise<void>;
  readonly asRoot?: true;
}

const processes = {
  systemCode: 'EAGAIN',
  remedy: /init as process 1.*podPidsLimit/,
  relieve: (pgpassd: Limited) => limit(pgpassd, 'nproc', 4096),
};

const wants: readonly Want[] = [
  {
    ...processes,
    what: 'processes',
    exhaust: (pgpassd) => limit(pgpassd, 'nproc', 1),
  },
  {
    ...processes,
    what: 'processes that it starts itself (as root, who knows what another user runs)',
    // One more than the threads that there are, which count as well: it is for the shell.
    exhaust: async (pgpassd) => limit(pgpassd, 'nproc', (await countOf('task', pgpassd)) + 1),
    asRoot: true,
  },
  {
    what: 'open files',
    systemCode: 'EMFILE',
    remedy: /open files/,
    exhaust: async (pgpassd) => limit(pgpassd, 'nofile', await countOf('fd', pgpassd)),
    relieve: (pgpassd) => limit(pgpassd, 'nofile', 1024),
  },
];

/** Starts it as a user of its own, if that may be. */
async function startLimited(
  args: readonly string[],
  { directory, start }: Workload,
): Promise<Limited> {
  const user = nextUser();
  if (user.uid !== undefined) await chown(directory, user.uid, user.uid);
  return { ...start(args, user), ...user };
}

test.skipIf(!isRoot)(
  'a token command that fails by itself is not told as a want of processes where few more fit (as root, who knows what another user runs)',
  { concurrent: true },
  async ({ expect, onTestFinished }) => {
    const workload = await openWorkload({ onTestFinished });
    const { directory } = workload;
    const switchFile = join(directory, 'broken');
    const args = ['run', '--token-command', `sh -c "test ! -e ${switchFile} && echo a-token"`];
    const pgpassd = await startLimited([...args, '--token-lifetime', '1h'], workload);
    await pgpassd.waitFor('token.refreshed');
    await limit(pgpassd, 'nproc', (await countOf('task', pgpassd)) + 8);
    await writeFile(switchFile, '');
    pgpassd.signal('SIGHUP');
    for (let failures = 1; failures <= 2; failures += 1) {
      if (failures > 1) pgpassd.signal('SIGHUP');
      const failed = await pgpassd.waitFor('refresh.failed');
      expect(failed).toMatchObject({ reason: 'token-command.failed', failures });
      expect(failed).not.toHaveProperty('systemCode');
    }
  },
);

for (const { what, systemCode, remedy, exhaust, relieve, asRoot } of wants) {
  test.skipIf(asRoot && !isRoot)(
    `a token command that goes on failing for want of ${what} turns /livez to 503, and its success back to 200`,
    { concurrent: true },
    async ({ expect, onTestFinished }) => {
      const workload = await openWorkload({ onTestFinished });
      const args = ['run', '--token-command', command, '--token-lifetime', '1h'];
      const pgpassd = await startLimited(args, workload);
      const port = await portOf(pgpassd);
      await pgpassd.waitFor('token.refreshed');
      expect((await probe(port, '/livez')).status).toBe(200);

      await exhaust(pgpassd);
      pgpassd.signal('SIGHUP');
      const failed = await pgpassd.waitFor('refresh.failed');
      expect(failed).toMatchObject({ reason: 'token-command.failed', systemCode });
      expect(failed['remedy']).toMatch(remedy);
      for (const _again of [2, 3]) {
        // The next try is not worth the wait.
        pgpassd.signal('SIGHUP');
        await pgpassd.waitFor('refresh.failed');
      }
      expect(await probe(port, '/livez')).toMatchObject({
        status: 503,
        reason: expect.stringMatching(
          `^no process could be started for the token command \\d times in a row \\(${systemCode}\\)$`,
        ),
      });
      expect((await probe(port, '/readyz')).status).toBe(200);

      await relieve(pgpassd);
      pgpassd.signal('SIGHUP');
      await pgpassd.waitFor(startedFor('request'));
      await probeUntil(port, '/livez', ({ status }) => status === 200);
    },
  );
}
