import { lstat, readdir, readFile, readlink, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createProjectedVolume,
  type ProjectedVolume,
  type ProjectedVolumeOptions,
  type UpdateStep,
} from './projected-volume.ts';

async function openVolume(options: ProjectedVolumeOptions): Promise<ProjectedVolume> {
  const volume = await createProjectedVolume(options);
  onTestFinished(() => volume.close());
  return volume;
}

const timestamped = /^\.\.\d{4}(_\d\d){5}\.\w+$/;

async function payloadDirectories({ root }: ProjectedVolume): Promise<string[]> {
  return (await readdir(root)).filter((name) => timestamped.test(name));
}

const dataTarget = ({ root }: ProjectedVolume): Promise<string> => readlink(join(root, '..data'));

describe.each(['flat', 'nested', 'plain'] as const)('a %s volume', (layout) => {
  test('shows the token last written, readable by all', async () => {
    const volume = await openVolume({ layout });
    await volume.write('first');
    await volume.write('second');
    expect(await readFile(volume.tokenPath, 'utf8')).toBe('second');
    expect((await stat(volume.tokenPath)).mode & 0o777).toBe(0o644);
  });

  test('has no token before the first write', async () => {
    const volume = await openVolume({ layout });
    await expect(readFile(volume.tokenPath)).rejects.toThrow('ENOENT');
  });

  test('holds exactly the files written last', async () => {
    const volume = await openVolume({ layout });
    await volume.writeFiles({ ca: 'pem', 'podinfo/labels': 'a', 'podinfo/annotations': 'b' });
    await volume.writeFiles({ 'podinfo/labels': 'c' });
    const visible = (await readdir(volume.root)).filter((name) => !name.startsWith('..'));
    expect(visible).toEqual(['podinfo']);
    expect(await readdir(join(volume.root, 'podinfo'))).toEqual(['labels']);
  });

  test('is gone once closed, and may be closed again', async () => {
    const volume = await openVolume({ layout });
    await volume.write('token');
    await volume.close();
    await volume.close();
    await expect(stat(volume.root)).rejects.toThrow('ENOENT');
  });

  test('refuses paths that leave the volume or belong to the writer', async () => {
    const volume = await openVolume({ layout });
    const paths = ['', '/token', '../token', 'a/../../token', '..data', `a/${'x'.repeat(256)}`];
    for (const path of paths) {
      await expect(volume.writeFiles({ [path]: 'content' }), path).rejects.toThrow("can't hold");
    }
  });
});

test('a flat volume links the token into ..data', async () => {
  const volume = await openVolume({ layout: 'flat' });
  await volume.write('token');
  expect(dirname(volume.tokenPath)).toBe(volume.root);
  expect(await readlink(volume.tokenPath)).toBe('..data/azure-identity-token');
});

test('a nested volume links the directory of the token, not the token', async () => {
  const volume = await openVolume({ layout: 'nested' });
  await volume.write('token');
  const directory = dirname(volume.tokenPath);
  expect(basename(directory)).toBe('token');
  expect(await readlink(directory)).toBe('..data/token');
  expect((await lstat(volume.tokenPath)).isFile()).toBe(true);
});

test('a plain volume has a new file in place of the old, and no links', async () => {
  const volume = await openVolume({ layout: 'plain' });
  await volume.write('first');
  const before = await lstat(volume.tokenPath);
  await volume.write('second');
  const after = await lstat(volume.tokenPath);
  expect(after.isFile()).toBe(true);
  expect(after.ino).not.toBe(before.ino);
  expect(await readdir(volume.root)).toEqual(['azure-identity-token']);
});

test('an update goes through the steps of kubelet in their order', async () => {
  let observe = async (_step: UpdateStep): Promise<void> => undefined;
  const volume = await openVolume({ layout: 'flat', onStep: (step) => observe(step) });
  const token = basename(volume.tokenPath);
  await volume.writeFiles({ [token]: 'one', stale: 'x' });
  const first = await dataTarget(volume);

  const seen: object[] = [];
  observe = async (step) => {
    const names = await readdir(volume.root);
    seen.push({
      step,
      swapped: (await dataTarget(volume)) !== first,
      token: await readFile(volume.tokenPath, 'utf8'),
      payloads: names.filter((name) => timestamped.test(name)).length,
      entries: names.filter((name) => !timestamped.test(name)).toSorted(),
    });
  };
  await volume.writeFiles({ [token]: 'two', fresh: 'y' });

  const before = { swapped: false, token: 'one', payloads: 2 };
  const after = { swapped: true, token: 'two', payloads: 2 };
  const links = ['..data', token];
  expect(seen).toEqual([
    { step: 'payload-written', ...before, entries: [...links, 'stale'] },
    { step: 'data-link-prepared', ...before, entries: ['..data', '..data_tmp', token, 'stale'] },
    { step: 'data-link-swapped', ...after, entries: [...links, 'stale'] },
    { step: 'visible-links-made', ...after, entries: [...links, 'fresh', 'stale'] },
    { step: 'stale-links-removed', ...after, entries: [...links, 'fresh'] },
    { step: 'old-payload-removed', ...after, payloads: 1, entries: [...links, 'fresh'] },
  ]);
});

test('only one payload directory is left after many updates', async () => {
  const volume = await openVolume({ layout: 'nested' });
  for (let update = 0; update < 20; update += 1) await volume.write(`token ${update}`);
  expect(await payloadDirectories(volume)).toEqual([await dataTarget(volume)]);
});

test('an identical payload is not written again', async () => {
  const volume = await openVolume({ layout: 'flat' });
  await volume.write('token');
  const before = await dataTarget(volume);
  await volume.write('token');
  expect(await dataTarget(volume)).toBe(before);
});

test('an identical payload still gets its visible link back', async () => {
  const volume = await openVolume({ layout: 'flat' });
  await volume.write('token');
  await rm(volume.tokenPath);
  await volume.write('token');
  expect(await readFile(volume.tokenPath, 'utf8')).toBe('token');
});

test('a payload with a file less is an update', async () => {
  const volume = await openVolume({ layout: 'flat' });
  await volume.writeFiles({ token: 'a', ca: 'b' });
  const before = await dataTarget(volume);
  await volume.writeFiles({ token: 'a' });
  expect(await dataTarget(volume)).not.toBe(before);
});

test('..data is there at every moment of fifty updates', async () => {
  const volume = await openVolume({ layout: 'flat' });
  await volume.write('token 0');
  let writing = true;
  const updates = (async () => {
    for (let update = 1; update <= 50; update += 1) await volume.write(`token ${update}`);
    writing = false;
  })();
  let looks = 0;
  while (writing) {
    expect(await dataTarget(volume)).toMatch(timestamped);
    looks += 1;
  }
  await updates;
  expect(looks).toBeGreaterThan(0);
});

test('a left-over ..data_tmp stops the update, as it stops kubelet', async () => {
  const volume = await openVolume({ layout: 'flat' });
  await volume.write('first');
  await symlink('nowhere', join(volume.root, '..data_tmp'));
  await expect(volume.write('second')).rejects.toThrow('EEXIST');
  expect(await readFile(volume.tokenPath, 'utf8')).toBe('first');
});
