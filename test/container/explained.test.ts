import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { noEngine } from './engine.ts';
import { pods } from './pods.ts';
import type { Sidecar } from './sidecar.ts';

/** Twice what run needs: check is one more Node.js in its container. */
const beside = { memoryMiB: 128 };

interface Report {
  readonly cause: { readonly cause: string } | null;
}

async function check(pgpassd: Sidecar, ...args: readonly string[]) {
  const { exitCode, stdout } = await pgpassd.exec('check', '--json', ...args);
  const report = JSON.parse(stdout) as Report;
  return { exitCode, cause: report.cause?.cause, stdout };
}

describe.skipIf(noEngine)('check, run in the sidecar (needs a container engine)', () => {
  const openPod = pods();

  test.concurrent('finds nothing wrong where nothing is, login included', async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar(beside);
    await pgpassd.waitFor('token.refreshed');
    const { exitCode, stdout } = await check(pgpassd, '--connect');
    expect(exitCode, stdout).toBe(0);
  });

  test.concurrent('finds nothing wrong where root may not read what it gave away', async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const owner = ['--owner', '1000:1000'];
    const root = { uid: 0, capabilities: ['CHOWN'], args: ['run', ...owner] };
    const pgpassd = await pod.startSidecar({ ...beside, ...root });
    await pgpassd.waitFor('token.refreshed');
    const { exitCode, stdout } = await check(pgpassd, ...owner);
    expect(exitCode, stdout).toBe(0);
  });

  test.concurrent('names a client that runs as another user', async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar(beside);
    await pgpassd.waitFor('token.refreshed');
    const application = await pod.startApplication({ uid: 1000 });
    const connect = await application.nextConnect();
    expect(connect).toEqual({ ok: false, text: expect.stringContaining('no password supplied') });

    const report = await check(pgpassd, '--expect-uid', '1000');
    expect(report).toMatchObject({ exitCode: 7, cause: 'passfile-owner' });
  });

  test.concurrent('names a passfile that is mounted as a single file', async (context) => {
    const { expect, onTestFinished } = context;
    const directory = await mkdtemp(join(tmpdir(), 'pgpassd-file-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const source = join(directory, 'pgpass');
    await writeFile(source, '');
    await chmod(source, 0o666);
    const pod = await openPod(context);
    const mounts = [{ source, target: '/pgpass/pgpass', mode: 'rw' }] as const;
    const pgpassd = await pod.startSidecar({ ...beside, mounts });
    await pgpassd.waitFor('refresh.failed');

    const report = await check(pgpassd);
    expect(report).toMatchObject({ exitCode: 6, cause: 'passfile-is-mount' });
  });

  test.concurrent('names a full volume, and clients get in meanwhile', async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar(beside);
    await pgpassd.waitFor('token.refreshed');
    const application = await pod.startApplication({ mode: 'rw' });
    await application.started.exec(['sh', '-c', 'cat /dev/zero > /pgpass/filler']);
    await pgpassd.raw.kill({ signal: 'SIGHUP' });
    const failed = await pgpassd.waitFor('refresh.failed');
    expect(failed['reason']).toBe('passfile.no-space');

    const report = await check(pgpassd);
    expect(report).toMatchObject({ exitCode: 6, cause: 'passfile-volume-full' });
    expect((await application.nextConnect()).ok).toBe(true);
    await application.started.exec(['rm', '/pgpass/filler']);
    await pgpassd.waitFor('refresh.recovered');
    expect((await check(pgpassd)).cause).toBeUndefined();
  });
});
