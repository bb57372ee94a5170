import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPassfile } from '../../src/passfile/inspect.ts';

const isRoot = process.getuid?.() === 0;
const content = 'server:5432:*:app:a-password\n';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-read-'));
  path = join(directory, 'pgpass');
});
afterEach(async () => {
  await chmod(directory, 0o700);
  await rm(directory, { recursive: true });
});

async function write(mode: number, file = path): Promise<void> {
  await writeFile(file, content);
  await chmod(file, mode);
}

test.each([0o600, 0o400, 0o700])('a passfile of mode %o is read', async (mode) => {
  await write(mode);
  await utimes(path, 1000, 1000);
  expect(await readPassfile(path)).toEqual({
    kind: 'lines',
    file: {
      mode,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
      sizeBytes: content.length,
      mtimeMs: 1_000_000,
      symlink: false,
    },
    lines: [expect.objectContaining({ kind: 'entry', number: 1 })],
  });
});

test.each([0o640, 0o604, 0o610, 0o601, 0o620, 0o602, 0o660, 0o777])(
  'a passfile of mode %o is found too loose, as by libpq',
  async (mode) => {
    await write(mode);
    expect(await readPassfile(path)).toMatchObject({ kind: 'loose', file: { mode } });
  },
);

describe('what is not a passfile', () => {
  test.each<[string, () => Promise<unknown>, object]>([
    ['nothing', async () => {}, { kind: 'missing', symlink: false }],
    ['a link to nowhere', () => symlink('nowhere', path), { kind: 'missing', symlink: true }],
    ['a directory', () => mkdir(path), { kind: 'not-a-file' }],
    [
      'a FIFO without a writer',
      () => promisify(execFile)('mkfifo', [path]),
      {
        kind: 'not-a-file',
      },
    ],
    [
      'a device',
      () => symlink('/dev/null', path),
      {
        kind: 'not-a-file',
        file: { symlink: true },
      },
    ],
    ['a link to itself', () => symlink('pgpass', path), { kind: 'unreadable', code: 'ELOOP' }],
    [
      'more than 4 MiB',
      async () => {
        await write(0o600);
        await truncate(path, 4 * 1024 * 1024 + 1);
      },
      { kind: 'too-large', file: { sizeBytes: 4 * 1024 * 1024 + 1 } },
    ],
  ])('is recognised: %s', async (_case, make, found) => {
    await make();
    expect(await readPassfile(path)).toMatchObject(found);
  });

  test('is missing, too, where a file stands in the way of its directory', async () => {
    await write(0o600);
    expect(await readPassfile(join(path, 'pgpass'))).toEqual({ kind: 'missing', symlink: false });
  });
});

test('a link is followed, and its own mode does not count', async () => {
  await write(0o600, join(directory, 'target'));
  await symlink('target', path);
  const found = await readPassfile(path);
  expect(found).toMatchObject({ kind: 'lines', file: { mode: 0o600, symlink: true } });
});

test('a link to a loose file is as loose', async () => {
  await write(0o644, join(directory, 'target'));
  await symlink('target', path);
  expect(await readPassfile(path)).toMatchObject({ kind: 'loose', file: { mode: 0o644 } });
});

test.skipIf(!isRoot)('the owner does not matter if the file can be read (as root)', async () => {
  await write(0o600);
  await chown(path, 4711, 4712);
  const found = await readPassfile(path);
  expect(found).toMatchObject({ kind: 'lines', file: { uid: 4711, gid: 4712 } });
});

test.skipIf(isRoot)(
  'a file that may not be read is reported with its owner (as an ordinary user)',
  async () => {
    await write(0o200);
    expect(await readPassfile(path)).toMatchObject({
      kind: 'unreadable',
      code: 'EACCES',
      file: { mode: 0o200, uid: process.getuid?.() },
    });
  },
);

test.skipIf(isRoot)(
  'a file in a closed directory is reported without an owner (as an ordinary user)',
  async () => {
    await write(0o600);
    await chmod(directory, 0o600);
    expect(await readPassfile(path)).toEqual({
      kind: 'unreadable',
      code: 'EACCES',
      file: undefined,
    });
  },
);

test('a byte order mark stays, since libpq takes it for a part of the host', async () => {
  await writeFile(path, `\ufeff${content}`, { mode: 0o600 });
  expect(await readPassfile(path)).toMatchObject({
    lines: [{ entry: { host: '\ufeffserver' }, oddities: [{ kind: 'byte-order-mark' }] }],
  });
});

test('an empty passfile has no lines', async () => {
  await writeFile(path, '', { mode: 0o600 });
  expect(await readPassfile(path)).toMatchObject({ kind: 'lines', lines: [] });
});
