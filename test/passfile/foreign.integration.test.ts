import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PLACEHOLDER } from '../../src/passfile/format.ts';
import { entriesLayout, type PassfileLayout, templateLayout } from '../../src/passfile/layout.ts';
import { createPassfile, type Passfile } from '../../src/passfile/passfile.ts';
import { Secret } from '../../src/support/secret.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const asRoot = process.getuid?.() === 0;
const FOREIGN = 'prod.example.com:5432:*:boss:hunter2secret\n';
const NOTE = '.pgpass.pgpassd-written';
const token = new Secret(unsignedJwt({ exp: 1_700_000_000 }));
const refused = { name: 'PgpassdError', code: 'config.invalid' };

let directory: string;
let path: string;
let kept: string;
let keptAs: string[];
let swept: number[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-foreign-'));
  path = join(directory, 'pgpass');
  kept = `${path}.before-pgpassd`;
  keptAs = [];
  swept = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const ofEntries = entriesLayout([{ host: 'h', port: '5432', database: null, user: 'me' }]);
const fromTemplate = (template: string) => templateLayout(Buffer.from(template)) as PassfileLayout;
const ofTemplate = templateLayout(Buffer.from(`# ours\nh:5432:*:me:${PLACEHOLDER}\n`));

function open(how: 'entries' | 'template'): Passfile {
  return how === 'entries' ? openWith(ofEntries, false) : openWith(ofTemplate as PassfileLayout);
}

function openWith(layout: PassfileLayout, replacesAny = true): Passfile {
  return createPassfile(
    { path, mode: 0o600, owner: undefined },
    () => layout,
    () => true,
    {
      replacesAny,
      onKept: (name) => keptAs.push(name),
      onSwept: (files) => swept.push(files),
    },
  );
}

/** All of what is in the directory, and whose. */
async function picture(): Promise<object> {
  const names = (await readdir(directory)).sort();
  const entries = names.map(async (name) => {
    const at = join(directory, name);
    const stats = await lstat(at);
    const { ino, mode, uid, gid, mtimeMs } = stats;
    const content = stats.isFile() ? await readFile(at, 'utf8') : '';
    return [name, { ino, mode, uid, gid, mtimeMs, content }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

const arrangements: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
  ['a password for another server', /: line 1 is for none/, () => writeFile(path, FOREIGN)],
  ['a comment', /: line 1 is/, () => writeFile(path, '# mine\n')],
  [
    'a link to a file of another writer',
    /: line 1 is/,
    async () => {
      await writeFile(join(directory, 'real'), FOREIGN);
      await symlink('real', path);
    },
  ],
  [
    'a second name of a file of another writer',
    /: line 1 is/,
    async () => {
      await writeFile(join(directory, 'real'), FOREIGN);
      await link(join(directory, 'real'), path);
    },
  ],
  [
    'a link to a directory',
    /link to a directory/,
    async () => {
      await mkdir(join(directory, 'real'));
      await symlink('real', path);
    },
  ],
  ['a FIFO', /not a regular file/, () => promisify(execFile)('mkfifo', [path])],
  ['a link to a device', /not a regular file/, () => symlink('/dev/zero', path)],
  [
    'a file that is larger than any passfile',
    /larger than any/,
    async () => {
      await writeFile(path, '');
      await truncate(path, 4 * 1024 * 1024 + 1);
    },
  ],
  [
    'a file of more lines than any passfile',
    /more lines than any/,
    () => writeFile(path, '\n'.repeat(4 * 1024 * 1024)),
  ],
];

describe('with entries, what is in place before the first publication', () => {
  test.each(arrangements)(
    '%s: it is refused, and everything stays',
    async (_case, why, arrange) => {
      await arrange();
      const before = await picture();
      const passfile = open('entries');
      for (const step of ['claim', 'prepare', 'publish', 'remove'] as const) {
        const error: unknown = await passfile[step](token).then(
          () => undefined,
          (thrown) => thrown,
        );
        expect(error, step).toMatchObject(refused);
        expect(error).toMatchObject({
          message: expect.stringMatching(why),
          remedy: expect.stringMatching(/PGPASSFILE.*--template/),
        });
        expect(`${(error as Error).message}`).not.toMatch(/hunter2|boss|prod/);
      }
      expect(await picture()).toEqual(before);
      expect(keptAs).toEqual([]);
    },
  );

  test.each<[string, () => Promise<unknown>]>([
    ['nothing', async () => {}],
    ['an empty file', () => writeFile(path, '')],
    ['a link to nothing', () => symlink('nowhere', path)],
    ['a link to itself', () => symlink('pgpass', path)],
    ['what an earlier run wrote', () => writeFile(path, ofEntries.render('an-opaque-token'))],
    ['a token for others', () => writeFile(path, `o:*:*:you:${token.unwrap()}\n`)],
  ])('%s: it is replaced without a word', async (_case, arrange) => {
    await arrange();
    const passfile = open('entries');
    await passfile.claim();
    await passfile.prepare();
    expect(await passfile.publish(token)).toBe('written');
    expect(await readFile(path, 'utf8')).toBe(ofEntries.render(token.unwrap()).toString());
    expect(await readdir(directory)).toEqual(['pgpass']);
    expect(keptAs).toEqual([]);
  });

  test('a file that becomes foreign after the start is refused before it is overwritten', async () => {
    const passfile = open('entries');
    await passfile.claim();
    await passfile.prepare();
    await writeFile(path, FOREIGN);
    await expect(passfile.publish(token)).rejects.toMatchObject(refused);
    expect(await readFile(path, 'utf8')).toBe(FOREIGN);
    await rm(path);
    expect(await passfile.publish(token)).toBe('written');
  });
});

describe('with a template', () => {
  test('a file of another writer is kept once with owner and mode, and logged', async () => {
    await writeFile(path, FOREIGN);
    await chmod(path, 0o644);
    if (asRoot) await chown(path, 1234, 2345);
    const before = await stat(path);
    const passfile = open('template');
    await passfile.claim();
    await passfile.prepare();
    expect(await readFile(path, 'utf8')).toBe(FOREIGN);
    expect(await passfile.publish(token)).toBe('written');
    expect(keptAs).toEqual([kept]);
    const after = await stat(kept);
    expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
    expect(await readFile(kept, 'utf8')).toBe(FOREIGN);
    expect(await readFile(path, 'utf8')).toContain('# ours\nh:5432:*:me:');

    await passfile.publish(new Secret(unsignedJwt({ exp: 1_700_000_001 })));
    await open('template').publish(token);
    expect(keptAs).toHaveLength(1);
    expect((await readdir(directory)).sort()).toEqual([NOTE, 'pgpass', 'pgpass.before-pgpassd']);
  });

  test('a kept file is never overwritten, and the same file is not kept twice', async () => {
    for (const content of ['# one\n', '# two\n', '# one\n', '# two\n']) {
      await rm(path, { force: true });
      await writeFile(path, content);
      await open('template').publish(token);
    }
    expect(keptAs).toEqual([kept, `${kept}-2`, kept, `${kept}-2`]);
    expect(await readFile(kept, 'utf8')).toBe('# one\n');
    expect(await readFile(`${kept}-2`, 'utf8')).toBe('# two\n');
  });

  test('a link in the place of the kept file is not followed', async () => {
    await writeFile(join(directory, 'victim'), 'untouched');
    await symlink('victim', kept);
    await writeFile(path, FOREIGN);
    await open('template').publish(token);
    expect(await readFile(join(directory, 'victim'), 'utf8')).toBe('untouched');
    expect(await readlink(kept)).toBe('victim');
    expect(keptAs).toEqual([`${kept}-2`]);
  });

  test('a link to a file of another writer is kept as a link, and the file stays', async () => {
    await writeFile(join(directory, 'real'), FOREIGN);
    await symlink('real', path);
    await open('template').publish(token);
    expect(await readlink(kept)).toBe('real');
    expect(await readFile(join(directory, 'real'), 'utf8')).toBe(FOREIGN);
    expect((await lstat(path)).isFile()).toBe(true);
  });

  test('a FIFO, which cannot be kept, is refused', async () => {
    await promisify(execFile)('mkfifo', [path]);
    await expect(open('template').claim()).rejects.toMatchObject(refused);
    await expect(open('template').publish(token)).rejects.toMatchObject(refused);
    expect((await lstat(path)).isFIFO()).toBe(true);
  });

  test('a directory in its place stays what it was: not replaced', async () => {
    await mkdir(path);
    await expect(open('template').publish(token)).rejects.toMatchObject({
      code: 'passfile.unwritable',
    });
    expect((await lstat(path)).isDirectory()).toBe(true);
  });

  test('a file that can no longer be kept stays in place', async () => {
    for (let number = 1; number <= 10; number += 1) {
      await rm(path, { force: true });
      await writeFile(path, `# number ${number}\n`);
      const published = open('template').publish(token);
      if (number < 10) await published;
      else await expect(published).rejects.toMatchObject(refused);
    }
    expect(await readFile(path, 'utf8')).toBe('# number 10\n');
    expect(await readFile(`${kept}-9`, 'utf8')).toBe('# number 9\n');
  });
});

describe('after a restart with other settings', () => {
  const withStatic = (password: string) =>
    fromTemplate(`other:*:*:me:${password}\nh:5432:*:me:${PLACEHOLDER}\n`);
  const namesIn = async () => (await readdir(directory)).sort();

  test('what an earlier template made is replaced, edit after edit, and nothing is kept', async () => {
    for (let edit = 1; edit <= 12; edit += 1) {
      const passfile = openWith(withStatic(`static-${edit}`));
      await passfile.claim();
      expect(await passfile.publish(token)).toBe('written');
    }
    expect(keptAs).toEqual([]);
    expect(await namesIn()).toEqual([NOTE, 'pgpass']);
    expect((await stat(join(directory, NOTE))).mode & 0o7777).toBe(0o600);
  });

  test('what an earlier template made is replaced by entries, and no record stays', async () => {
    await openWith(withStatic('static')).publish(token);
    const passfile = open('entries');
    await passfile.claim();
    await passfile.publish(token);
    expect(await namesIn()).toEqual(['pgpass']);
  });

  test('a token that is not a JWT is replaced when the entries have changed', async () => {
    await openWith(entriesLayout([{ host: 'o', port: null, database: null, user: 'you' }])).publish(
      new Secret('an-opaque-token'),
    );
    const passfile = open('entries');
    await passfile.claim();
    expect(await passfile.publish(token)).toBe('written');
  });

  test('what an earlier template made is replaced after a repair, too', async () => {
    const passfile = openWith(withStatic('one'));
    await passfile.publish(token);
    await rm(path);
    await rm(join(directory, NOTE));
    await passfile.repair();
    await openWith(withStatic('two')).publish(token);
    expect(keptAs).toEqual([]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['has a line more', () => writeFile(path, FOREIGN, { flag: 'a' })],
    ['has no note', () => rm(join(directory, NOTE))],
    ['has the note of another content', () => writeFile(join(directory, NOTE), '0'.repeat(64))],
    [
      'has a link for a record',
      async () => {
        await rename(join(directory, NOTE), join(directory, 'elsewhere'));
        await symlink('elsewhere', join(directory, NOTE));
      },
    ],
    [
      'has a directory for a record',
      async () => {
        await rm(join(directory, NOTE));
        await mkdir(join(directory, NOTE));
      },
    ],
  ])('what an earlier template made and %s is kept', async (_case, change) => {
    await openWith(withStatic('one')).publish(token);
    await change();
    const before = await readFile(path, 'utf8');
    await openWith(withStatic('two')).publish(token);
    expect(keptAs).toEqual([kept]);
    expect(await readFile(kept, 'utf8')).toBe(before);
  });

  test.skipIf(!asRoot)('the record of another user does not count (as root)', async () => {
    await openWith(withStatic('one')).publish(token);
    await chown(join(directory, NOTE), 1234, 1234);
    await openWith(withStatic('two')).publish(token);
    expect(keptAs).toEqual([kept]);
  });

  test('the record is removed with the passfile', async () => {
    const passfile = openWith(withStatic('one'));
    await passfile.publish(token);
    await passfile.remove();
    expect(await namesIn()).toEqual([]);
  });

  test('a record that cannot be written does not keep the token from clients', async () => {
    await mkdir(join(directory, NOTE));
    expect(await openWith(withStatic('one')).publish(token)).toBe('written');
  });
});

describe.each(['entries', 'template'] as const)('while it runs, with %s', (how) => {
  test('what another writer puts there is kept before it is repaired', async () => {
    const passfile = open(how);
    await passfile.publish(token);
    const right = await readFile(path, 'utf8');
    await writeFile(join(directory, 'new'), FOREIGN);
    await chmod(join(directory, 'new'), 0o640);
    await rename(join(directory, 'new'), path);
    expect(await passfile.repair()).toMatchObject({ damage: 'mode' });
    expect(await readFile(path, 'utf8')).toBe(right);
    expect(await readFile(kept, 'utf8')).toBe(FOREIGN);
    expect((await stat(kept)).mode & 0o7777).toBe(0o640);
    expect(keptAs).toEqual([kept]);
  });

  test('a line that another writer appends is kept before the next token is published', async () => {
    const passfile = open(how);
    await passfile.publish(token);
    const ours = await readFile(path, 'utf8');
    await writeFile(path, FOREIGN, { flag: 'a' });
    await passfile.publish(new Secret(unsignedJwt({ exp: 1_700_000_001 })));
    expect(await readFile(kept, 'utf8')).toBe(`${ours}${FOREIGN}`);
  });

  test('what was only cut, emptied or given another token is nothing to keep', async () => {
    const passfile = open(how);
    for (const change of [
      () => truncate(path, 3),
      () => truncate(path),
      () => writeFile(path, `o:*:*:you:${token.unwrap()}\n`),
      () => writeFile(path, 'h:5432:*:me:other\n'),
    ]) {
      await passfile.publish(token);
      await change();
      expect(await passfile.repair()).toMatchObject({ damage: 'content' });
    }
    const notes = how === 'template' ? [NOTE] : [];
    expect((await readdir(directory)).sort()).toEqual([...notes, 'pgpass']);
  });

  test('a file of another writer is not removed at the end, and ours is', async () => {
    const passfile = open(how);
    await passfile.publish(token);
    await writeFile(path, FOREIGN);
    await expect(passfile.remove()).rejects.toMatchObject(refused);
    expect(await readFile(path, 'utf8')).toBe(FOREIGN);

    await rm(path);
    await passfile.publish(token);
    await passfile.remove();
    expect(await readdir(directory)).toEqual([]);
  });
});

describe.skipIf(!asRoot)('a file that may not be read (as root with CAP_CHOWN alone)', () => {
  const script = fileURLToPath(new URL('./claim-as.ts', import.meta.url));
  const claimAs = async (args: readonly string[]) => {
    const { stdout } = await promisify(execFile)('setpriv', [
      ...['--bounding-set=-all,+chown', '--inh-caps=-all,+chown', process.execPath],
      ...[script, path, ...args],
    ]);
    return stdout.trim();
  };

  test('is ours when it has the owner and the mode that we give it', async () => {
    await chmod(directory, 0o777);
    await writeFile(path, ofEntries.render('opaque'), { mode: 0o600 });
    await chown(path, 1234, 1234);
    expect(await claimAs(['1234', '1234'])).toBe('ours');
    expect(await claimAs(['1235', '1235'])).toBe('config.invalid');
    expect(await claimAs([])).toBe('config.invalid');
    await chmod(path, 0o640);
    expect(await claimAs(['1234', '1234'])).toBe('config.invalid');
  });
});

test('what earlier publications left is removed by later ones, and logged', async () => {
  const passfile = open('entries');
  await passfile.publish(token);
  const leftover = join(directory, `.pgpass.pgpassd-${'a'.repeat(16)}`);
  await mkdir(leftover, { mode: 0o700 });
  await promisify(execFile)('touch', ['-d', '2001-01-01', leftover]);
  await passfile.publish(new Secret(unsignedJwt({ exp: 1_700_000_001 })));
  expect(swept).toEqual([1]);
  expect(await readdir(directory)).toEqual(['pgpass']);
});
