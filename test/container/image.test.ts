import { getContainerRuntimeClient, ImageName } from 'testcontainers';
import { beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { PROBE_PORT } from './container.ts';
import { noEngine } from './engine.ts';
import { filesOf } from './image-files.ts';
import { buildTimeoutMs, pgpassdImage, runtimeImage } from './images.ts';
import { pods } from './pods.ts';

const LARGEST_LAYERS_BYTES = 5_000_000;
const LONGEST_END_MS = 1_000;
const REFRESHES = 10;

const unwanted = /^(sh|[a-z]*sh|busybox|toybox|env|npm|npx|corepack|yarn|pnpm|apt.*|dpkg.*|apk)$/;

/** A path that is not as in the image. */
interface Change {
  readonly Path: string;
}

describe.skipIf(noEngine)('the image (needs a container engine)', () => {
  let image: string;
  beforeAll(async () => {
    image = await pgpassdImage();
  }, buildTimeoutMs);
  const openPod = pods();

  const inspect = async (name: string) => {
    const client = await getContainerRuntimeClient();
    await client.image.pull(ImageName.fromString(name));
    return await client.image.inspect(ImageName.fromString(name));
  };

  test('has no shell and no package manager', async () => {
    const programs = await filesOf(
      image,
      ({ type, mode = 0 }) => type === 'symlink' || (type === 'file' && (mode & 0o111) !== 0),
    );
    const names = programs.map(({ name }) => name.replace(/.*\//, ''));
    expect(names).toContain('node');
    expect(names).toContain('pgpassd');
    expect(names.filter((name) => unwanted.test(name))).toEqual([]);
  });

  test('adds less than 5 MB to its base', async () => {
    const [ours, base] = await Promise.all([inspect(image), inspect(await runtimeImage())]);
    expect(ours.RootFS.Layers?.slice(0, base.RootFS.Layers?.length)).toEqual(base.RootFS.Layers);
    expect(ours.Size - base.Size).toBeGreaterThan(0);
    expect(ours.Size - base.Size).toBeLessThan(LARGEST_LAYERS_BYTES);
  });

  test('adds the bundle and its licences, for everybody to read and nobody to change', async () => {
    const ours = await filesOf(image, ({ name }) => name.startsWith('usr/local/lib/pgpassd/'));
    const names = ours.map(({ name }) => name.replace('usr/local/lib/pgpassd/', ''));
    expect(names.filter((name) => !/^bundle\/[\w-]+\.js$/.test(name)).sort()).toEqual([
      '',
      'LICENSE',
      'bundle/',
      'bundle/THIRD-PARTY-LICENSES',
      'package.json',
    ]);
    for (const { name, mode, uid } of ours) {
      expect.soft({ name, uid }).toEqual({ name, uid: 0 });
      expect.soft((mode ?? 0) & 0o044, name).toBe(0o044);
      expect.soft((mode ?? 0) & 0o022, name).toBe(0);
    }
  });

  test('adds an init and its licence', async () => {
    const ours = await filesOf(image, ({ name }) =>
      /^usr\/local\/(bin\/tini|share\/doc\/tini\/copyright)$/.test(name),
    );
    const modes = Object.fromEntries(ours.map(({ name, mode = 0 }) => [name, mode & 0o777]));
    expect(modes).toEqual({
      'usr/local/bin/tini': 0o755,
      'usr/local/share/doc/tini/copyright': 0o644,
    });
    const [licence] = ours.filter(({ name }) => name.endsWith('copyright'));
    expect(licence?.content).toContain('Permission is hereby granted');
  });

  test('says what it is, who runs it and what it runs', async () => {
    const { Config } = await inspect(image);
    expect(Config).toMatchObject({
      User: '65532:65532',
      WorkingDir: '/',
      Entrypoint: expect.arrayContaining(['tini', '/usr/local/bin/pgpassd']),
      Labels: {
        'org.opencontainers.image.title': 'pgpassd',
        'org.opencontainers.image.licenses': manifest.license,
      },
    });
  });

  test('refreshes and answers probes without a right, on a read-only root, in 64 MiB', {
    timeout: 120_000,
  }, async (context) => {
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar({ probed: true });
    await pgpassd.waitFor('token.refreshed');
    const port = pgpassd.started.getMappedPort(PROBE_PORT);
    const probe = async (path: string) => {
      const answer = await fetch(`http://${pgpassd.started.getHost()}:${port}${path}`);
      await answer.text();
      return answer.status;
    };
    for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
      await pgpassd.raw.kill({ signal: 'SIGHUP' });
      await pgpassd.waitFor('token.refreshed');
      const paths = ['/startupz', '/readyz', '/livez', '/metrics'];
      expect(await Promise.all(paths.map(probe))).toEqual([200, 200, 200, 200]);
    }
    const { State, HostConfig, Mounts } = await pgpassd.raw.inspect();
    expect(State).toMatchObject({ Running: true, OOMKilled: false });
    expect(HostConfig).toMatchObject({ Memory: 64 * 1024 * 1024, ReadonlyRootfs: true });
    const changes = (await pgpassd.raw.changes()) ?? [];
    const isMountPoint = ({ Path }: Change) =>
      Mounts.some(({ Destination }) => `${Destination}/`.startsWith(`${Path}/`));
    expect(changes.filter((change: Change) => !isMountPoint(change))).toEqual([]);
  });

  test('has no rights where none are given', async (context) => {
    const pod = await openPod(context);
    const status = await pod.startSidecar({
      entrypoint: ['/nodejs/bin/node', '-p', 'fs.readFileSync("/proc/self/status", "utf8")'],
      args: [],
    });
    await status.ended();
    const lines = status.log.lines.map((line) => line.replace(/\s+/g, ' '));
    expect(lines).toContain('Uid: 65532 65532 65532 65532');
    expect(lines).toContain('CapEff: 0000000000000000');
    expect(lines).toContain('NoNewPrivs: 1');
    expect(lines).toContain('Seccomp: 2');
  });

  test.for([
    { as: 'below its own init', init: false },
    { as: "below the engine's as well", init: true },
  ])('ends with 0 within a second of SIGTERM, $as', async ({ init }, context) => {
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar({ init });
    await pgpassd.waitFor('token.refreshed');
    const ended = pgpassd.ended();
    const askedMs = performance.now();
    await pgpassd.raw.kill({ signal: 'SIGTERM' });
    expect(await ended).toBe(0);
    expect(performance.now() - askedMs).toBeLessThan(LONGEST_END_MS);
  });

  test('lets a pod be asked by name, without a shell', async (context) => {
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar();
    const { exitCode, stdout } = await pgpassd.exec('--version');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${manifest.version}\n` });
  });
});
