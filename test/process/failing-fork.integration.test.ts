import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { portOf, probe, probeUntil } from './probing.ts';
import { openWorkload, startedFor } from './workload.ts';

/** Lives for long: only SIGHUP asks for the next one. The shell starts another process for it. */
const command = `sh -c "echo a-token-of-a-command | cat"`;

/** The superuser may start as many processes as it likes. No other test runs as this user. */
const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: 61_234, gid: 61_234 } : {};

/** Sets a soft limit of a running process, as the user it runs as. */
async function limit({ pid }: Pgpassd, what: 'nofile' | 'nproc', soft: number): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(pid), `--${what}=${soft}:`], user);
}

async function countOf(what: 'fd' | 'task', { pid }: Pgpassd): Promise<number> {
  return (await readdir(`/proc/${pid}/${what}`)).length;
}

interface Want {
  readonly what: string;
  readonly systemCode: string;
  readonly remedy: RegExp;
  readonly exhaust: (pgpassd: Pgpassd) => Promise<void>;
  readonly relieve: (pgpassd: Pgpassd) => Promise<void>;
  readonly asRoot?: true;
}

const processes = {
  systemCode: 'EAGAIN',
  remedy: /init as process 1.*podPidsLimit/,
  relieve: (pgpassd: Pgpassd) => limit(pgpassd, 'nproc', 4096),
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

test.skipIf(!isRoot)(
  'a token command that fails by itself is not told as a want of processes where few more fit (as root, who knows what another user runs)',
  async () => {
    const { directory, start } = await openWorkload();
    await promisify(execFile)('chown', [String(user.uid), directory]);
    const switchFile = join(directory, 'broken');
    const args = ['run', '--token-command', `sh -c "test ! -e ${switchFile} && echo a-token"`];
    const pgpassd = start([...args, '--token-lifetime', '1h'], { uid: 61_234 });
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
    async () => {
      const { directory, start } = await openWorkload();
      if (user.uid !== undefined) await promisify(execFile)('chown', [String(user.uid), directory]);
      const args = ['run', '--token-command', command, '--token-lifetime', '1h'];
      const pgpassd = start(args, isRoot ? { uid: 61_234 } : {});
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
