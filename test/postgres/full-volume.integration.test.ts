import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, type TestContext, test } from 'vitest';
import { noPsql, openPod } from '../faults/pod.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { canMount, mountTmpfs, type Tmpfs } from '../support/tmpfs.ts';
import { type Azure, startAzure } from './azure.ts';

const PAGE_BYTES = 4096;
/** A passfile of more than one page can be written in part. */
const TOKEN_BYTES = PAGE_BYTES + 1024;
const TRIES = 2;
const SIZE_KIB = 64;

const notHere = noPsql || !canMount();

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

interface Volume {
  readonly tmpfs: Tmpfs;
  readonly filler: string;
}

const faults = [
  {
    fault: 'runs full',
    reason: 'passfile.no-space',
    remedy: /emptyDir's sizeLimit/,
    befall: ({ filler }: Volume) => fill(filler, 0),
    end: ({ filler }: Volume) => rm(filler),
  },
  {
    fault: 'has room for half of the passfile',
    reason: 'passfile.no-space',
    remedy: /emptyDir's sizeLimit/,
    befall: ({ filler }: Volume) => fill(filler, PAGE_BYTES),
    end: ({ filler }: Volume) => rm(filler),
  },
  {
    fault: 'is remounted read-only',
    reason: 'passfile.unwritable',
    remedy: /Mount the emptyDir without readOnly/,
    befall: ({ tmpfs }: Volume) => tmpfs.remount('ro'),
    end: ({ tmpfs }: Volume) => tmpfs.remount('rw'),
  },
];

test.skipIf(notHere).for(faults)(
  'while the volume $fault psql gets in with the passfile in place, and afterwards the token at hand is written (needs psql and to mount a tmpfs)',
  { concurrent: true },
  async ({ reason, remedy, befall, end }, context) => {
    const { expect } = context;
    const { pod, volume } = await openPodOnTmpfs(context);
    const { entra, directory, passfile } = pod;
    const pgpassd = pod.run();
    await pgpassd.waitFor('token.refreshed');
    const inPlace = await readFile(passfile, 'utf8');
    const application = pod.startApplication();

    await befall(volume);
    const names = await readdir(directory);
    // One more exchange, for which it then takes several tries to be written.
    pgpassd.signal('SIGHUP');
    for (let failure = 1; failure <= TRIES; failure += 1) {
      const failed = await pgpassd.waitFor('refresh.failed');
      expect(failed).toMatchObject({ reason, failures: failure });
      expect(failed['remedy']).toMatch(remedy);
      expect(await readFile(passfile, 'utf8')).toBe(inPlace);
      expect(await readdir(directory)).toEqual(names);
    }
    await application.nextConnect();
    await end(volume);

    await pgpassd.waitFor('refresh.recovered');
    expect(entra.issued.length).toBe(2);
    await pod.expectNewestToken();
    await application.nextConnect();
    expect((await application.stop()).filter(({ ok }) => !ok)).toEqual([]);
    expect(await readdir(directory)).toEqual(['pgpass']);
  },
);

async function openPodOnTmpfs(context: TestContext) {
  const pod = await openPod(azure, context, { accessTokenBytes: TOKEN_BYTES });
  const tmpfs = await mountTmpfs(pod.directory, SIZE_KIB);
  context.onTestFinished(() => tmpfs.unmount());
  return { pod, volume: { tmpfs, filler: join(pod.directory, 'filler') } };
}

/** Takes all there is but `roomBytes`. */
async function fill(path: string, roomBytes: number): Promise<void> {
  await writeFile(path, Buffer.alloc(SIZE_KIB * 1024)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOSPC') throw error;
  });
  const { size } = await stat(path);
  await truncate(path, size - roomBytes);
}
