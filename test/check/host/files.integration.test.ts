import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inspectTokenFile } from '../../../src/check/host.ts';
import { checkFederatedToken } from '../../../src/check/steps/federated-token.ts';
import { canMount } from '../../support/tmpfs.ts';
import { unsignedJwt } from '../../support-units/unsigned-jwt.ts';
import { contextWith, emptyDirectory, fileWith, shown, volumeWith } from '../context.ts';

const run = promisify(execFile);

/** Shows `source` at `target` as well, until the test is over. */
async function bind(source: string, target: string): Promise<void> {
  await run('mount', ['--bind', source, target]);
  onTestFinished(async () => {
    await run('umount', [target]);
  });
}

const token = (expiresInSeconds: number) =>
  unsignedJwt({ iss: 'i', sub: 's', aud: 'a', exp: Date.now() / 1000 + expiresInSeconds });

describe('the layout of a token file', () => {
  test.each(['flat', 'nested', 'plain'] as const)('is recognized: %s', async (layout) => {
    const { tokenPath } = await volumeWith('a', layout);
    expect(await inspectTokenFile(tokenPath)).toMatchObject({ path: tokenPath, layout });
  });

  test('stays the same when kubelet rotates', async () => {
    const volume = await volumeWith('a');
    await volume.write('b');
    expect(await inspectTokenFile(volume.tokenPath)).toMatchObject({ layout: 'nested' });
  });

  test('is plain, without an age, where there is none', async () => {
    expect(await inspectTokenFile('/nowhere/token')).toEqual({
      path: '/nowhere/token',
      layout: 'plain',
      modifiedMs: undefined,
    });
  });
});

describe.skipIf(!canMount())('a token mounted by itself, as subPath does it', () => {
  /** A token file apart from its volume, and the volume. */
  async function frozenFile(content: string) {
    const volume = await volumeWith(content, 'flat');
    const path = await fileWith('');
    await bind(volume.tokenPath, path);
    return { volume, path };
  }

  const check = (path: string) =>
    checkFederatedToken(contextWith({ AZURE_FEDERATED_TOKEN_FILE: path }), undefined);

  test('is wrong while the token is good, and is sent all the same (as root)', async () => {
    const { path } = await frozenFile(token(600));
    const { findings, usable } = await check(path);
    expect(shown(findings)[0]).toMatch(
      /^✗ federated-token-frozen .*the token in it expires in 10 min → .*without subPath/,
    );
    expect(usable).toBe(true);
  });

  test('is why a token has expired that kubelet has renewed long ago (as root)', async () => {
    const { path, volume } = await frozenFile(token(-60));
    await volume.write(token(3600));
    const { findings, usable } = await check(path);
    expect(findings.filter(({ mark }) => mark === 'wrong')).toHaveLength(1);
    expect(shown(findings)[0]).toMatch(/^✗ federated-token-frozen .*expired 6\d(?:\.\d)? s ago/);
    expect(usable).toBe(false);
  });

  test('is why a token is gone whose directory kubelet has removed (as root)', async () => {
    const volume = await volumeWith(token(3600));
    const directory = await emptyDirectory();
    await bind(dirname(volume.tokenPath), directory);
    const link = join(await emptyDirectory(), 'link');
    await symlink(directory, link);
    const path = join(link, 'azure-identity-token');
    expect(await inspectTokenFile(path)).toMatchObject({ layout: 'frozen' });
    await volume.write(token(7200));
    expect(shown((await check(path)).findings)).toEqual([
      expect.stringMatching(/^✗ federated-token-frozen .*the token in it cannot be read/),
      expect.stringMatching(/^– .*does not exist/),
    ]);
  });

  test('is not one in a volume that is mounted whole (as root)', async () => {
    const volume = await volumeWith(token(3600));
    const directory = await emptyDirectory();
    await bind(volume.root, directory);
    expect(await inspectTokenFile(join(directory, 'token', 'azure-identity-token'))).toMatchObject({
      layout: 'nested',
    });
  });

  test.each([
    ['through a link on the way to it', (path: string) => dirname(path), 'link/file'],
    ['through a link to it', (path: string) => path, 'link'],
  ])('is recognized %s (as root)', async (_how, target, name) => {
    const { path } = await frozenFile(token(3600));
    const directory = await emptyDirectory();
    await symlink(target(path), join(directory, 'link'));
    expect(await inspectTokenFile(join(directory, name))).toMatchObject({ layout: 'frozen' });
  });
});
