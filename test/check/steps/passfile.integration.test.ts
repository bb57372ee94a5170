import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findPassfile } from '../../../src/check/host.ts';
import type { CheckContext, Side } from '../../../src/check/step.ts';
import type { DaemonStatus } from '../../../src/check/steps/daemon.ts';
import { checkPassfile } from '../../../src/check/steps/passfile.ts';
import type { Environment } from '../../../src/config/option.ts';
import { PLACEHOLDER } from '../../../src/passfile/format.ts';
import { canMount, mountTmpfs } from '../../support/tmpfs.ts';
import { unsignedJwt } from '../../support-units/unsigned-jwt.ts';
import { contextWith, emptyDirectory, shown } from '../context.ts';

const uid = process.getuid?.() ?? 0;
const token = unsignedJwt({ exp: Date.now() / 1000 + 3000 });
const line = `db:*:*:app:${token}\n`;

interface Circumstances {
  readonly side?: Side;
  readonly env?: Environment;
  readonly given?: Partial<CheckContext>;
}

async function check(path: string, circumstances: Circumstances = {}): Promise<string[]> {
  const { side = 'daemon', env = {}, given = {} } = circumstances;
  const findings = await checkPassfile(contextWith(env, given), side, await findPassfile(path));
  return shown(findings, [token]).map((text) => text.replaceAll(path, 'PASSFILE'));
}

async function passfileWith(content: string, mode = 0o600): Promise<string> {
  const path = join(await emptyDirectory(), 'pgpass');
  await writeFile(path, content, { mode });
  await chmod(path, mode);
  return path;
}

test('a good passfile is reported with its mode, owner, lines and validity', async () => {
  const path = await passfileWith(`# ours\n${line}replica:*:*:app:static\n`);
  expect(await check(path)).toEqual([
    `✓ PASSFILE: mode 0600, for clients that run as uid ${uid}, 2 lines; valid for 50 min`,
  ]);
});

test.each<[string, (path: string) => Promise<unknown>, string]>([
  ['is missing', (path) => rm(path), 'passfile-missing'],
  [
    'is a link to nowhere',
    async (path) => {
      await rm(path);
      await symlink('/nowhere', path);
    },
    'passfile-dangling',
  ],
  [
    'is a directory',
    async (path) => {
      await rm(path);
      await mkdir(path);
    },
    'passfile-not-a-file',
  ],
  ['may be read by others', (path) => chmod(path, 0o640), 'passfile-mode'],
])('a passfile that %s is wrong', async (_case, damage, cause) => {
  const path = await passfileWith(line);
  await damage(path);
  expect(await check(path)).toEqual([expect.stringContaining(`✗ ${cause} (passfile.`)]);
});

test.each<[string, string, string]>([
  ['is empty', '', 'passfile-without-lines'],
  ['is the template', `db:*:*:app:${PLACEHOLDER}\n`, 'passfile-is-template'],
  ['has half a token', `db:*:*:app:${token.slice(0, 50)}`, 'passfile-token-cut'],
  ['has no password', 'db:*:*:app:\n', 'passfile-without-password'],
  ['has an expired token', `db:*:*:app:${unsignedJwt({ exp: 1 })}\n`, 'passfile-expired'],
  ['has half a line', `${line}db:*:*\n`, 'passfile-line-malformed'],
  ['has a blank in front of a user', `db:*:*: app:${token}\n`, 'passfile-line-blanks'],
  ['has a blank behind a token', `db:*:*:app:${token} \n`, 'passfile-line-blanks'],
  ['has nothing for a port', `db::*:app:${token}\n`, 'passfile-line-empty-field'],
  ['begins with a byte order mark', `\ufeff${line}`, 'passfile-byte-order-mark'],
])('a passfile that %s is wrong', async (_case, content, cause) => {
  const texts = await check(await passfileWith(content));
  expect(texts.filter((text) => text.startsWith('✗'))).toEqual([
    expect.stringContaining(`✗ ${cause} (passfile.`),
  ]);
});

test('of many wrong lines a few are reported', async () => {
  const texts = await check(await passfileWith(`${line}${'a\n'.repeat(2_000)}`));
  expect(texts).toHaveLength(6);
  expect(texts[5]).toBe('– 1996 more lines have such problems');
});

test('a file without any line of a passfile is one finding', async () => {
  expect(await check(await passfileWith('a\nb\0\nc\n'))).toEqual([
    expect.stringMatching(/^✓ .* 0 lines$/),
    expect.stringContaining('✗ passfile-without-lines'),
  ]);
});

describe('the owner', () => {
  test('is compared with who the clients are said to be', async () => {
    const env = { PGPASSD_EXPECT_UID: '4711' };
    expect((await check(await passfileWith(line), { env }))[1]).toMatch(
      new RegExp(`^✗ passfile-owner .* uid ${uid}, .* uid 4711 .* → .*--owner 4711`),
    );
  });

  test('is compared with who it is given to', async () => {
    const env = { PGPASSD_OWNER: '4711:4711' };
    const texts = await check(await passfileWith(line), { env, side: 'client' });
    expect(texts[1]).toContain('✗ passfile-owner');
  });

  test('does not matter to root', async () => {
    const env = { PGPASSD_EXPECT_UID: '0' };
    expect((await check(await passfileWith(line), { env })).join()).not.toContain('✗');
  });

  test.skipIf(uid !== 0)('is reported by number (as root)', async () => {
    const path = await passfileWith(line);
    await chown(path, 4711, 4711);
    const texts = await check(path, { given: { uid: 1000 } });
    expect(texts[1]).toMatch(/^✗ passfile-owner .* uid 4711, .* uid 1000 /);
  });
});

test('a passfile that was given away, and is for its owner alone, is as it should be', async () => {
  const path = '/pgpass/pgpass';
  const file = { mode: 0o600, uid: 4711, gid: 4711, sizeBytes: 9, mtimeMs: 0, symlink: false };
  const found = { kind: 'unreadable', code: 'EACCES', file } as const;
  const check = async (env: Environment) =>
    shown(await checkPassfile(contextWith(env, { uid: 0 }), 'client', { path, found }));
  expect(await check({ PGPASSD_OWNER: '4711' })).toEqual([
    '✓ /pgpass/pgpass: mode 0600, uid 4711',
    '– its lines are not examined: only uid 4711 can read them, as intended',
  ]);
  expect(await check({ PGPASSD_OWNER: '4712' })).toEqual([
    expect.stringContaining('✗ passfile-forbidden'),
  ]);
  const ours = await checkPassfile(contextWith({}, { uid: 4711 }), 'client', { path, found });
  expect(shown(ours)).toEqual([expect.stringContaining('✗ passfile-forbidden')]);
});

describe('a passfile that run would not replace', () => {
  const content = `${line}# mine\n`;
  const settings = {
    PGPASSD_ENTRIES: 'db:*:*:app',
    AZURE_TENANT_ID: '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690',
    AZURE_CLIENT_ID: '2b9d7e14-53af-4c68-8e01-7a6c90f4d2b3',
    AZURE_FEDERATED_TOKEN_FILE: '/var/run/secrets/azure/tokens/azure-identity-token',
  };
  const wrongIn = async (env: Environment, daemon?: DaemonStatus, side: Side = 'daemon') => {
    const path = await passfileWith(content);
    const found = await findPassfile(path);
    const context = contextWith({ PGPASSFILE: path, ...env });
    return shown(await checkPassfile(context, side, found, daemon)).filter((text) =>
      text.startsWith('✗'),
    );
  };
  const answering = (ready: boolean): DaemonStatus => ({
    address: '127.0.0.1:8080',
    answer: { ready, reason: 'no token yet', lastError: undefined },
  });

  test('is reported with the line', async () => {
    expect(await wrongIn(settings)).toEqual([
      expect.stringMatching(/^✗ passfile-foreign \(config.invalid\).*: line 2 is for none/),
    ]);
    expect(await wrongIn(settings, answering(false))).toHaveLength(1);
  });

  test('is no matter of a pgpassd at work, which repairs it', async () => {
    expect(await wrongIn(settings, answering(true))).toEqual([]);
  });

  test('is no matter of an application', async () => {
    expect(await wrongIn(settings, undefined, 'client')).toEqual([]);
  });

  test('is not reported where only libpq’s variables name the entry', async () => {
    const env = { ...settings, PGPASSD_ENTRIES: undefined, PGHOST: 'db', PGUSER: 'app' };
    expect(await wrongIn(env)).toEqual([]);
  });

  test('is not reported where a template decides on the whole file', async () => {
    const template = await passfileWith(`db:*:*:app:${PLACEHOLDER}\n`);
    const env = { ...settings, PGPASSD_ENTRIES: undefined, PGPASSD_TEMPLATE: template };
    expect(await wrongIn(env)).toEqual([]);
  });
});

describe('a place where nothing can be put', () => {
  test.skipIf(uid === 0)('because the directory is not ours (not as root)', async () => {
    const path = await passfileWith(line);
    await chmod(join(path, '..'), 0o500);
    onTestFinished(() => chmod(join(path, '..'), 0o700));
    const env = { PGPASSD_ENTRIES: 'db:*:*:app' };
    expect((await check(path, { env }))[0]).toContain('✗ passfile-directory-forbidden');
    expect((await check(path)).join()).not.toContain('✗');
    expect((await check(path, { side: 'client' })).join()).not.toContain('✗');
  });

  test('because the directory is missing, which says it all', async () => {
    const path = join(await emptyDirectory(), 'volume', 'pgpass');
    expect(await check(path)).toEqual([
      expect.stringContaining('✗ passfile-directory-missing (passfile.unwritable)'),
    ]);
  });

  test('because the directory is a file', async () => {
    const path = join(await passfileWith(line), 'pgpass');
    expect((await check(path))[0]).toContain('✗ passfile-directory-is-none');
  });

  describe.skipIf(!canMount())('(needs to mount)', () => {
    test('because the volume is full', async () => {
      const path = await passfileWith('');
      const directory = join(path, '..');
      const volume = await mountTmpfs(directory, 16);
      onTestFinished(() => volume.unmount());
      await writeFile(path, line, { mode: 0o600 });
      expect((await check(path)).join()).not.toContain('✗');
      await writeFile(join(directory, 'big'), Buffer.alloc(64 * 1024)).catch(() => undefined);
      expect((await check(path))[0]).toContain('✗ passfile-volume-full (passfile.no-space)');
    });

    test('because the volume is read-only', async () => {
      const path = await passfileWith('');
      const volume = await mountTmpfs(join(path, '..'), 64);
      onTestFinished(() => volume.unmount());
      await writeFile(path, line, { mode: 0o600 });
      await volume.remount('ro');
      const env = { PGPASSD_ENTRIES: 'db:*:*:app' };
      expect((await check(path, { env }))[0]).toContain(
        '✗ passfile-read-only (passfile.unwritable)',
      );
      expect((await check(path, { side: 'client' })).join()).not.toContain('✗');
    });

    test('because the file is a mount of its own, to a client one that never changes', async () => {
      const path = await passfileWith(line);
      execFileSync('mount', ['--bind', path, path]);
      onTestFinished(() => void execFileSync('umount', [path]));
      expect((await check(path))[0]).toContain('✗ passfile-is-mount (passfile.unwritable)');
      expect((await check(path, { side: 'client' }))[0]).toContain('✗ passfile-frozen');
    });
  });
});

test('without a setting there is nothing to look at', async () => {
  const findings = await checkPassfile(contextWith({}), 'daemon', undefined);
  expect(shown(findings)).toEqual(['– not examined: no setting names it']);
});
