import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readRegularFile } from '../../src/support/files.ts';
import { pgpassdCommand } from '../support/pgpassd-command.ts';
import { fileWith } from '../support/temporary-file.ts';

const KIB = 1024;

/** Regular files by what they say, of no size, and without an end. */
const endless = ['/proc/self/pagemap', '/proc/kpagecount'];

describe('the bound of a file', () => {
  test.each([0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 300 * KIB])(
    'lets %i bytes through whole, and no byte more',
    async (sizeBytes) => {
      const content = Buffer.alloc(sizeBytes, 'x');
      const path = await fileWith('');
      await writeFile(path, content);
      expect((await readRegularFile(path, sizeBytes)).equals(content)).toBe(true);
      await writeFile(path, 'y', { flag: 'a' });
      await expect(readRegularFile(path, sizeBytes)).rejects.toThrow(/too large/);
    },
  );

  test('counts what is read, whatever size the file claims', async () => {
    const readable = await Promise.all(
      endless.map((path) => readRegularFile(path, 256 * KIB).then(String, String)),
    );
    expect(readable[0]).toMatch(/too large \(over 256 KiB\)/);
    expect(readable[1]).toMatch(/too large|EACCES|ENOENT|EPERM/);
  });

  test('reads files that claim to be empty', async () => {
    const status = await readRegularFile('/proc/self/status', 64 * KIB);
    expect(status.toString()).toContain(`Pid:\t${process.pid}`);
  });
});

/** What a program takes that reads such a file to its end is the whole machine. */
const LARGEST_MEMORY_BYTES = 1024 ** 3;

describe('an endless file in the place of one of ours, with a gigabyte of memory', () => {
  const azure = {
    PGPASSFILE: '/nowhere/pgpass',
    AZURE_TENANT_ID: 'tenant',
    AZURE_CLIENT_ID: 'client',
    AZURE_FEDERATED_TOKEN_FILE: '/nowhere/token',
    PGPASSD_ENTRIES: 'h:5432:*:me',
    PGPASSD_HTTP_ADDRESS: 'off',
  };

  test.each<[string, string[], Record<string, string>, number, RegExp]>([
    [
      'template',
      ['once', '--template', '/proc/self/pagemap'],
      { PGPASSD_ENTRIES: '' },
      2,
      /too large/,
    ],
    ['CA file', ['once', '--ca-file', '/proc/self/pagemap'], {}, 2, /too large/],
    ['passfile of once', ['once', '--passfile', '/proc/self/pagemap'], {}, 2, /larger than any/],
    [
      'passfile of wait',
      ['wait', '--timeout', '1s', '--passfile', '/proc/self/pagemap'],
      {},
      7,
      /is too large: over 4 MiB/,
    ],
    [
      'federated token',
      ['check', '--offline', '--federated-token-file', '/proc/self/pagemap'],
      {},
      3,
      /too\s+large/,
    ],
  ])('as %s is refused', async (_case, args, env, code, what) => {
    const command = pgpassdCommand({
      under: ['prlimit', `--data=${LARGEST_MEMORY_BYTES}`],
      args,
      env: { ...azure, ...env },
    });
    const ended = await promisify(execFile)(command.program, command.args, {
      ...command.options,
      timeout: 60_000,
      killSignal: 'SIGKILL',
    }).catch((error: { code: number; stdout: string; stderr: string }) => error);
    expect(ended).toMatchObject({ code });
    expect(`${ended.stdout}${ended.stderr}`).toMatch(what);
  });
});
