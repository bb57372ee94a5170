import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { explainWriteError } from '../../src/passfile/messages.ts';
import { publishPassfile } from '../../src/passfile/publish.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { canMount } from '../support/tmpfs.ts';

const target = { path: '/pgpass/pgpass' };
const systemError = (code: string, syscall = 'open') =>
  Object.assign(new Error('system'), { code, syscall });

/** As Node.js makes them where libuv has no name for the number. */
function unnamed(errno: number): Error {
  const code = `Unknown system error -${errno}`;
  return Object.assign(new Error(`${code}: ${code}, write`), { code, errno: -errno });
}

test.each<[string, Error, string, RegExp, RegExp]>([
  ['the volume is full', systemError('ENOSPC'), 'no-space', /full/, /sizeLimit/],
  ['the quota is used up', systemError('EDQUOT'), 'no-space', /full/, /sizeLimit/],
  ['the directory is not ours', systemError('EACCES'), 'unwritable', /may not write/, /emptyDir/],
  [
    'the system does not permit it',
    systemError('EPERM'),
    'unwritable',
    /may not write/,
    /emptyDir/,
  ],
  ['the volume is read-only', systemError('EROFS'), 'unwritable', /read-only/, /readOnly/],
  ['the directory is missing', systemError('ENOENT'), 'unwritable', /not exist/, /PGPASSFILE/],
  ['a file is on the way', systemError('ENOTDIR'), 'unwritable', /not a directory/, /PGPASSFILE/],
  ['a directory is in its place', systemError('EISDIR'), 'unwritable', /a directory/, /PGPASSFILE/],
  ['it is mounted itself', systemError('EBUSY'), 'unwritable', /mount point/, /subPath/],
  [
    'the owner is refused',
    systemError('EPERM', 'lchown'),
    'unwritable',
    /owner/,
    /runAsUser.*CHOWN/,
  ],
  ['the mode is not kept', systemError('EPERM', 'chmod'), 'unwritable', /mode/, /emptyDir/],
  [
    'the directory is gone by then',
    systemError('ENOENT', 'chmod'),
    'unwritable',
    /not exist/,
    /PGPASSFILE/,
  ],
  ['its server has another file', unnamed(116), 'unavailable', /ESTALE/, /its volume/],
  ['the quota has no name in Node', unnamed(122), 'no-space', /full/, /quota/],
  ['its disk is far away', unnamed(121), 'unavailable', /EREMOTEIO/, /its volume/],
  ['its server is down', unnamed(112), 'unavailable', /EHOSTDOWN/, /its volume/],
  ['its server answers too late', systemError('ETIMEDOUT'), 'unavailable', /ETIMEDOUT/, /server/],
  ['its FUSE server is gone', systemError('ENOTCONN'), 'unavailable', /ENOTCONN/, /server/],
  ['its disk fails', systemError('EIO'), 'unavailable', /EIO/, /its volume/],
  ['files are short', systemError('ENFILE'), 'unavailable', /ENFILE/, /volume/],
  ['it is damaged', unnamed(117), 'unwritable', /EUCLEAN/, /the volume/],
  ['it is something else', systemError('EFBIG'), 'unwritable', /EFBIG/, /the volume/],
  ['it has no code', new Error('strange'), 'unwritable', /unknown error/, /the volume/],
])('when %s, the error says so and what to do', (_case, thrown, code, what, remedy) => {
  const error = explainWriteError(thrown, target);
  expect(error.code).toBe(`passfile.${code}`);
  expect(error.message).toMatch(what);
  expect(error.message).toContain(target.path);
  expect(error.remedy).toMatch(remedy);
  expect(error.remedy).toMatch(/\.$/);
});

test('an error of ours stays as it is', () => {
  const ours = new PgpassdError('passfile.no-space', 'full', 'Make room.');
  expect(explainWriteError(ours, target)).toBe(ours);
});

test.skipIf(!canMount())(
  'a single file that is mounted stays as it is, and subPath is named (needs to mount a file)',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pgpassd-mounted-'));
    const path = join(directory, 'pgpass');
    await writeFile(path, 'in place\n');
    const run = promisify(execFile);
    await run('mount', ['--bind', path, path]);
    onTestFinished(async () => {
      await run('umount', [path]);
      await rm(directory, { recursive: true });
    });
    const published = publishPassfile({ path, mode: 0o600, owner: undefined }, Buffer.from('new'));
    await expect(published).rejects.toMatchObject({
      code: 'passfile.unwritable',
      remedy: expect.stringContaining('subPath'),
    });
    expect(await readFile(path, 'utf8')).toBe('in place\n');
  },
);
