import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  type PassfileTarget,
  publishPassfile,
  sweepLeftovers,
  tryDirectory,
} from '../../src/passfile/publish.ts';
import { bundleScript } from '../support/bundled-script.ts';
import { seededRandom } from '../support/random.ts';
import { canMount, mountTmpfs } from '../support/tmpfs.ts';
import { checkContent, numberedContent } from './numbered-content.ts';

const asRoot = process.getuid?.() === 0;

/** How many of the kills have to come in the middle of a publication, however many that takes. */
const INTERRUPTED = 2;

let directory: string;
let target: PassfileTarget;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-publish-'));
  target = { path: join(directory, 'pgpass'), mode: 0o600, owner: undefined };
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('publishing', () => {
  test('a reader in a tight loop sees hundreds of whole files and nothing else', async () => {
    await publishPassfile(target, Buffer.from(numberedContent(0)));
    const reader = fork(new URL('./tight-reader.ts', import.meta.url), [target.path]);
    onTestFinished(() => void reader.kill('SIGKILL'));
    await once(reader, 'message');
    for (let number = 1; number <= 150; number += 1) {
      await publishPassfile(target, Buffer.from(numberedContent(number)));
    }
    reader.send('enough');
    const [report] = (await once(reader, 'message')) as [{ reads: number; faults: string[] }];
    expect(report.faults).toEqual([]);
    expect(report.reads).toBeGreaterThan(300);
  }, 240_000);

  test('killed again and again at random moments, it leaves a whole file, and sweeps up at the next start', async () => {
    const random = seededRandom(6);
    const script = await bundleScript(new URL('./endless-publisher.ts', import.meta.url));
    onTestFinished(() => script.remove());
    await publishPassfile(target, Buffer.from(numberedContent(0)));
    let interrupted = 0;
    for (let kill = 0; kill < 25 || interrupted < INTERRUPTED; kill += 1) {
      await age(directory);
      const publisher = fork(script.path, [target.path]);
      for (let message = 0; message < 1 + random() * 4; message += 1)
        await once(publisher, 'message');
      expect(await readdir(directory)).toSatisfy((names: string[]) => names.length <= 3);
      await turns(random() * 60);
      publisher.kill('SIGKILL');
      await once(publisher, 'exit');
      expect(checkContent(await readFile(target.path, 'utf8'))).toBeUndefined();
      expect((await stat(target.path)).mode & 0o777).toBe(0o600);
      if ((await readdir(directory)).length > 1) interrupted += 1;
    }
    await age(directory);
    await sweepLeftovers(target);
    expect(await readdir(directory)).toEqual(['pgpass']);
  }, 240_000);

  test('writes nothing when the file in place is already right', async () => {
    expect(await publishPassfile(target, Buffer.from('content\n'))).toBe('written');
    await utimes(target.path, 1, 1);
    expect(await publishPassfile(target, Buffer.from('content\n'))).toBe('unchanged');
    expect((await stat(target.path)).mtimeMs).toBe(1000);
  });

  test('corrects the mode of a file that another user loosened', async () => {
    await publishPassfile(target, Buffer.from('content\n'));
    await chmod(target.path, 0o644);
    expect(await publishPassfile(target, Buffer.from('content\n'))).toBe('written');
    expect((await stat(target.path)).mode & 0o777).toBe(0o600);
  });

  test('writes with mode 0400 again and again', async () => {
    const readOnly = { ...target, mode: 0o400 };
    for (const content of ['one\n', 'two\n']) await publishPassfile(readOnly, Buffer.from(content));
    expect(await readFile(target.path, 'utf8')).toBe('two\n');
    expect((await stat(target.path)).mode & 0o777).toBe(0o400);
  });

  test('replaces a symlink and leaves what it points to alone', async () => {
    const elsewhere = join(directory, 'elsewhere');
    await writeFile(elsewhere, 'untouched');
    await symlink(elsewhere, target.path);
    await publishPassfile(target, Buffer.from('content\n'));
    expect(await readFile(elsewhere, 'utf8')).toBe('untouched');
    expect(await readFile(target.path, 'utf8')).toBe('content\n');
  });

  test('a umask that takes everything away does not keep us from writing', async () => {
    const before = process.umask(0o777);
    try {
      await publishPassfile(target, Buffer.from('content\n'));
    } finally {
      process.umask(before);
    }
    expect((await stat(target.path)).mode & 0o777).toBe(0o600);
  });

  test.skipIf(!asRoot)(
    'gives the file to its owner before other users can see it (as root)',
    async () => {
      await publishPassfile(
        { ...target, owner: { uid: 1234, gid: 2345 } },
        Buffer.from('content\n'),
      );
      const { uid, gid } = await stat(target.path);
      expect({ uid, gid }).toEqual({ uid: 1234, gid: 2345 });
    },
  );

  test.skipIf(asRoot)(
    'an owner that cannot be set is refused with both remedies (not as root)',
    async () => {
      await publishPassfile(target, Buffer.from('in place\n'));
      const given = publishPassfile(
        { ...target, owner: { uid: 1234, gid: 2345 } },
        Buffer.from('content\n'),
      );
      await expect(given).rejects.toMatchObject({
        code: 'passfile.unwritable',
        remedy: expect.stringMatching(/runAsUser.*CHOWN/),
      });
      expect(await readFile(target.path, 'utf8')).toBe('in place\n');
      expect(await readdir(directory)).toEqual(['pgpass']);
    },
  );
});

describe('a volume that runs full', () => {
  test.skipIf(!canMount())(
    'keeps the file in place whole, leaves nothing behind, and is named (needs to mount a tmpfs)',
    async () => {
      const tmpfs = await mountTmpfs(directory, 16);
      try {
        await publishPassfile(target, Buffer.from('in place\n'));
        await writeFile(join(directory, 'filler'), 'x'.repeat(8 * 1024));
        // Room for a part of it: the system then writes less than asked, without an error.
        const published = publishPassfile(target, Buffer.from('y'.repeat(6 * 1024)));
        await expect(published).rejects.toMatchObject({ code: 'passfile.no-space' });
        expect(await readFile(target.path, 'utf8')).toBe('in place\n');
        expect((await readdir(directory)).sort()).toEqual(['filler', 'pgpass']);

        await rm(join(directory, 'filler'));
        expect(await publishPassfile(target, Buffer.from('y'.repeat(6 * 1024)))).toBe('written');
      } finally {
        await tmpfs.unmount();
      }
    },
  );
});

describe('trying the directory', () => {
  test('leaves no trace', async () => {
    await tryDirectory(target);
    expect(await readdir(directory)).toEqual([]);
  });

  test('a missing directory is an error that names the volume', async () => {
    const missing = { ...target, path: join(directory, 'missing', 'pgpass') };
    await expect(tryDirectory(missing)).rejects.toMatchObject({
      code: 'passfile.unwritable',
      remedy: expect.stringContaining('emptyDir'),
    });
  });

  test('a directory in the place of the passfile is an error', async () => {
    await mkdir(target.path);
    await expect(tryDirectory(target)).rejects.toThrow(/there is a directory in its place/);
  });

  test.skipIf(asRoot)(
    'a directory without write permission is an error (not as root)',
    async () => {
      await chmod(directory, 0o555);
      await expect(tryDirectory(target)).rejects.toThrow(
        /this user may not write to its directory/,
      );
      await chmod(directory, 0o755);
    },
  );
});

describe('sweeping', () => {
  const leftover = (digit: string) => join(directory, `.pgpass.pgpassd-${digit.repeat(16)}`);

  test('removes what we left, and nothing that looks similar', async () => {
    const others = [
      `.other.pgpassd-${'0'.repeat(16)}`,
      '.pgpass.pgpassd-notes',
      'pgpass.123',
      '.pgpass.swp',
      'pgpass',
    ];
    for (const name of others) await writeFile(join(directory, name), '');
    await mkdir(leftover('a'), { mode: 0o700 });
    await writeFile(join(leftover('a'), '0011'), 'a token');
    await writeFile(join(leftover('a'), '0011.4711'), 'a token');
    // As earlier releases did it.
    await writeFile(leftover('b'), '');
    await writeFile(`${leftover('b')}.4711`, '');
    await age(directory);
    expect(await sweepLeftovers(target)).toBe(3);
    expect((await readdir(directory)).sort()).toEqual(others.sort());
  });

  test('leaves what another pgpassd is about to rename, until it is old enough to be left over', async () => {
    await mkdir(leftover('a'), { mode: 0o700 });
    await writeFile(join(leftover('a'), '0011'), 'a token');
    await writeFile(leftover('b'), '');
    expect(await sweepLeftovers(target)).toBe(0);
    expect(await readdir(leftover('a'))).toEqual(['0011']);
    await age(directory);
    expect(await sweepLeftovers(target)).toBe(2);
    expect(await readdir(directory)).toEqual([]);
  });

  test('counts a file from the future as a leftover: the clock was set back', async () => {
    await mkdir(leftover('a'), { mode: 0o700 });
    await age(directory, -86_400);
    expect(await sweepLeftovers(target)).toBe(1);
  });

  test('leaves what cannot be removed where it is', async () => {
    await mkdir(join(leftover('a'), 'deeper'), { recursive: true });
    await writeFile(leftover('b'), '');
    await age(directory);
    expect(await sweepLeftovers(target)).toBe(1);
    expect(await readdir(directory)).toEqual([`.pgpass.pgpassd-${'a'.repeat(16)}`]);
  });

  test('goes through no link', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'pgpassd-elsewhere-'));
    onTestFinished(() => rm(elsewhere, { recursive: true }));
    await writeFile(join(elsewhere, '0011'), 'a stranger');
    await symlink(elsewhere, leftover('a'));
    await mkdir(leftover('b'), { mode: 0o700 });
    await symlink(elsewhere, join(leftover('b'), 'link'));
    await age(directory);
    expect(await sweepLeftovers(target)).toBe(2);
    expect(await readdir(elsewhere)).toEqual(['0011']);
    expect(await readdir(directory)).toEqual([]);
  });
});

/** As if everything in the directory had been left there so long ago. */
async function age(where: string, seconds = 3600): Promise<void> {
  const then = Date.now() / 1000 - seconds;
  for (const name of await readdir(where)) await lutimes(join(where, name), then, then);
}

/** Lets the event loop turn: the child goes on for a while that no clock measures. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
