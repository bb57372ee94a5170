import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readFederatedToken } from '../../src/federated-token/federated-token.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const jwt = unsignedJwt({ sub: 'system:serviceaccount:shop:legacy-app' });
const largestBytes = 64 * 1024;

let path: string;

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-test-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  path = join(directory, 'token');
});

async function failure(): Promise<PgpassdError> {
  const thrown: unknown = await readFederatedToken(path).catch((error: unknown) => error);
  if (!(thrown instanceof PgpassdError)) throw new Error('the file was read', { cause: thrown });
  expect(thrown.message).toContain(path);
  expect(thrown.remedy).not.toBe('');
  return thrown;
}

describe('the federated token', () => {
  test('is read whole', async () => {
    await writeFile(path, `${jwt}\n`);
    expect((await readFederatedToken(path)).assertion.unwrap()).toBe(jwt);
  });

  test('is read through the links of a projected volume, and again after a rotation', async () => {
    const rotated = unsignedJwt({ sub: 'system:serviceaccount:shop:legacy-app', jti: 'rotated' });
    const volume = `${path}-volume`;
    for (const [name, content] of [
      ['..1', jwt],
      ['..2', rotated],
    ] as const) {
      await mkdir(join(volume, name), { recursive: true });
      await writeFile(join(volume, name, 'token'), content);
    }
    await symlink('..1', join(volume, '..data'));
    await symlink('..data/token', join(volume, 'token'));
    path = join(volume, 'token');

    expect((await readFederatedToken(path)).assertion.unwrap()).toBe(jwt);
    await symlink('..2', join(volume, '..data_tmp'));
    await rename(join(volume, '..data_tmp'), join(volume, '..data'));
    expect((await readFederatedToken(path)).assertion.unwrap()).toBe(rotated);
  });

  test('may be as large as 64 KiB', async () => {
    await writeFile(path, jwt.padEnd(largestBytes, '\n'));
    expect((await readFederatedToken(path)).assertion.unwrap()).toBe(jwt);
  });
});

describe('a token file', () => {
  test('that is missing is reported with the label that mounts it', async () => {
    const error = await failure();
    expect(error.code).toBe('federated-token.missing');
    expect(error.remedy).toContain('azure.workload.identity/use');
  });

  test('below something that is no directory is missing', async () => {
    await writeFile(path, jwt);
    path = join(path, 'token');
    expect((await failure()).code).toBe('federated-token.missing');
  });

  test('that is a link to nowhere is missing', async () => {
    await symlink('..data/token', path);
    expect((await failure()).code).toBe('federated-token.missing');
  });

  test('that is empty is reported as such', async () => {
    await writeFile(path, '');
    expect((await failure()).code).toBe('federated-token.empty');
  });

  test('that holds something else is reported, without its content', async () => {
    await writeFile(path, 'hunter2');
    const error = await failure();
    expect(error.code).toBe('federated-token.malformed');
    expect(error.message).not.toContain('hunter2');
  });

  test('that is a directory is unreadable', async () => {
    await mkdir(path);
    const error = await failure();
    expect(error.code).toBe('federated-token.unreadable');
    expect(error.message).toContain('not a regular file');
  });

  test('that is a FIFO is unreadable, and does not hold us up', async () => {
    execFileSync('mkfifo', [path]);
    const error = await failure();
    expect(error.code).toBe('federated-token.unreadable');
    expect(error.message).toContain('not a regular file');
  });

  test('that is larger than 64 KiB is unreadable', async () => {
    await writeFile(path, jwt.padEnd(largestBytes + 1, '\n'));
    const error = await failure();
    expect(error.code).toBe('federated-token.unreadable');
    expect(error.message).toContain('too large');
  });

  test.skipIf(process.getuid?.() === 0)(
    'that this user may not read is unreadable (skipped as root, who may read everything)',
    async () => {
      await writeFile(path, jwt);
      await chmod(path, 0o000);
      const error = await failure();
      expect(error.code).toBe('federated-token.unreadable');
      expect(error.message).toContain('EACCES');
    },
  );
});
