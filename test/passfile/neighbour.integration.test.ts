import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type PassfileTarget, publishPassfile } from '../../src/passfile/publish.ts';

const asRoot = process.getuid?.() === 0;
const NEIGHBOUR = 4_321;
const STRANGER = 1_234;
const OWNER = { uid: 2_345, gid: 2_345 };

const PUBLICATIONS = 40;

/** A volume that every user may write to, as an emptyDir is, and a file of a third user. */
async function openVolume() {
  const outside = await mkdtemp(join(tmpdir(), 'pgpassd-neighbour-'));
  onTestFinished(() => rm(outside, { recursive: true, force: true }));
  await chmod(outside, 0o755);
  const directory = join(outside, 'volume');
  await mkdir(directory);
  await chmod(directory, 0o777);
  const strangers = join(outside, 'strangers');
  await mkdir(strangers);
  await chmod(strangers, 0o755);
  const victim = join(strangers, 'victim');
  await writeFile(victim, 'untouched');
  // Its neighbour may link it, whatever fs.protected_hardlinks says.
  await chmod(victim, 0o666);
  await chown(victim, STRANGER, STRANGER);
  return { directory, victim, strangers };
}

async function startNeighbour(directory: string, how: string, victim: string) {
  const args = [directory, String(NEIGHBOUR), how, victim];
  const neighbour = fork(new URL('./grabbing-neighbour.ts', import.meta.url), args);
  onTestFinished(() => void neighbour.kill('SIGKILL'));
  await once(neighbour, 'message');
  return {
    async stop(): Promise<number> {
      neighbour.send('enough');
      const [{ grabbed }] = (await once(neighbour, 'message')) as [{ grabbed: number }];
      return grabbed;
    },
  };
}

describe.skipIf(!asRoot)(
  'another user who grabs whatever appears beside the passfile (as root)',
  () => {
    test.each([
      ['symbolic links', 'symbolic-link', undefined],
      ['symbolic links, and the file is given away', 'symbolic-link', OWNER],
      ['hard links', 'hard-link', undefined],
      ['hard links, and the file is given away', 'hard-link', OWNER],
      ['a directory of their own', 'directory', OWNER],
      ['a link to a directory of a stranger', 'directory-link', OWNER],
    ])(
      'and leaves %s does not get at the file of a third user',
      async (_case, how, owner) => {
        const { directory, victim, strangers } = await openVolume();
        const target: PassfileTarget = { path: join(directory, 'pgpass'), mode: 0o600, owner };
        const before = await stat(victim);
        const neighbour = await startNeighbour(directory, how, victim);
        let published = 0;
        for (let number = 1; number <= PUBLICATIONS; number += 1) {
          const content = `server:5432:*:app:${number}\n`;
          const outcome = await publishPassfile(target, Buffer.from(content)).catch(
            (error: Error) => error,
          );
          if (outcome instanceof Error) {
            expect(outcome).toMatchObject({ code: expect.stringMatching(/^passfile\./) });
            continue;
          }
          published += 1;
          // Only pgpassd could have put it there.
          expect(await readFile(target.path, 'utf8')).toBe(content);
          const { uid, mode } = await stat(target.path);
          expect([uid, mode & 0o7777]).toEqual([owner?.uid ?? 0, 0o600]);
        }
        const grabbed = await neighbour.stop();
        const after = await stat(victim);
        expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
        expect(await readFile(victim, 'utf8')).toBe('untouched');
        expect(await readdir(strangers)).toEqual(['victim']);
        expect(grabbed + published).toBeGreaterThan(0);
      },
      120_000,
    );
  },
);

describe.skipIf(!asRoot)('what is staged (as root)', () => {
  test('is where no other user can read it, and nothing of it stays', async () => {
    const { directory } = await openVolume();
    const target: PassfileTarget = { path: join(directory, 'pgpass'), mode: 0o600, owner: OWNER };
    await publishPassfile(target, Buffer.from('one\n'));
    expect(await readdir(directory)).toEqual(['pgpass']);
  });

  test('gets the group of a directory with the setgid bit', async () => {
    const { directory } = await openVolume();
    await chown(directory, 0, 3_456);
    await chmod(directory, 0o2777);
    const target: PassfileTarget = {
      path: join(directory, 'pgpass'),
      mode: 0o600,
      owner: undefined,
    };
    await publishPassfile(target, Buffer.from('one\n'));
    expect((await stat(target.path)).gid).toBe(3_456);
  });

  test('leaves a second name of the file in place as it was', async () => {
    const { directory } = await openVolume();
    const target: PassfileTarget = { path: join(directory, 'pgpass'), mode: 0o600, owner: OWNER };
    await publishPassfile(target, Buffer.from('one\n'));
    await link(target.path, join(directory, 'second'));
    await publishPassfile(target, Buffer.from('two\n'));
    expect(await readFile(join(directory, 'second'), 'utf8')).toBe('one\n');
  });
});
