import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, connectRaw } from '../observe/clients.ts';
import { lookThrough, type Point, views } from '../observe/points.ts';
import { temporarilyUnavailable } from '../support/fake-entra/faults.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { canMount, mountTmpfs } from '../support/tmpfs.ts';
import { grantFor, portOf } from './probing.ts';
import { openWorkload, passfileWith, startedFor, type Workload, whileStopped } from './workload.ts';

const FORTY_MINUTES = { accessTokenLifetimeSeconds: 2400 };

const DISK_KIB = 64;

/** Passes when the four paths say what they are to say at this point. */
async function expectView(pgpassd: Pgpassd, point: Point): Promise<void> {
  const port = await portOf(pgpassd);
  const view = await lookThrough((path) => ask({ port }, { path }), Date.now);
  expect(view, point).toEqual(views[point]);
}

/** A request that Entra does not answer before it is told to. */
function holdNext({ entra }: Workload): () => void {
  const held = Promise.withResolvers<void>();
  entra.faults.next({ kind: 'hold', until: () => held.promise });
  return held.resolve;
}

test('the four paths tell the truth at each point of a life', async () => {
  const workload = await openWorkload(FORTY_MINUTES);
  const { entra, passfile, start } = workload;
  const answerFirst = holdNext(workload);
  // Due soon where a token lives for 30 s.
  const pgpassd = start(['run', '--refresh-fraction', '0.1']);
  await pgpassd.waitFor('refresh.started');
  await expectView(pgpassd, 'starting');

  answerFirst();
  await pgpassd.waitFor('token.refreshed');
  await expectView(pgpassd, 'with its first token');

  entra.faults.next(grantFor(30));
  const answerDue = holdNext(workload);
  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor('token.refreshed');
  await pgpassd.waitFor(startedFor('due'));
  await expectView(pgpassd, 'when a refresh is due');

  answerDue();
  await pgpassd.waitFor('token.refreshed');
  entra.faults.always(temporarilyUnavailable());
  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor('refresh.failed');
  await expectView(pgpassd, 'failing with 40 minutes left');

  entra.faults.next(grantFor(4));
  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor('token.refreshed');
  await pgpassd.waitFor(({ event, level }) => event === 'refresh.failed' && level === 'fatal');
  await expectView(pgpassd, 'with an expired token');

  entra.faults.always(undefined);
  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor('token.refreshed');
  await pgpassd.waitFor('refresh.recovered');
  await expectView(pgpassd, 'recovered');

  await contest(pgpassd, passfile);
  await rm(passfile);
  await expectView(pgpassd, 'without its passfile');

  await writeFile(passfile, passfileWith(entra.issued.at(-1)));
  await chmod(passfile, 0o644);
  await expectView(pgpassd, 'with a loosened passfile');

  pgpassd.signal('SIGHUP');
  await pgpassd.waitFor('token.refreshed');
  const asked = await askInHalves(await portOf(pgpassd), [
    '/startupz',
    '/readyz',
    '/livez',
    '/metrics',
  ]);
  await whileStopped(pgpassd, async () => {
    pgpassd.signal('SIGTERM');
    asked.complete();
  });
  expect(await lookThrough(asked.answer, Date.now)).toEqual(views.stopping);
  expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
});

test.skipIf(!canMount())(
  'the four paths tell the truth while the disk is full (needs to mount a tmpfs)',
  async () => {
    const { directory, start } = await openWorkload();
    const tmpfs = await mountTmpfs(directory, DISK_KIB);
    onTestFinished(() => tmpfs.unmount());
    const pgpassd = start(['run']);
    await pgpassd.waitFor('token.refreshed');
    const filler = join(directory, 'filler');
    await expect(writeFile(filler, Buffer.alloc(DISK_KIB * 1024))).rejects.toThrow('ENOSPC');
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('refresh.failed');
    await expectView(pgpassd, 'on a full disk');

    await rm(filler);
    await pgpassd.waitFor('refresh.recovered');
    await expectView(pgpassd, 'recovered');
  },
);

/** Has the passfile put back so often that the next time takes 10 s. */
async function contest(pgpassd: Pgpassd, passfile: string): Promise<void> {
  for (let repairs = 1; repairs <= 6; repairs += 1) {
    await rm(passfile);
    await pgpassd.waitFor('passfile.repaired');
  }
  await pgpassd.waitFor('passfile.contested');
}

/** Requests that have begun, and of which only the end is missing. */
async function askInHalves(port: number, paths: readonly string[]) {
  const clients = new Map(
    await Promise.all(
      paths.map(async (path) => {
        const client = await connectRaw({ port }, `GET ${path} HTTP/1.1\r\nHost: pod\r\n`);
        return [path, client] as const;
      }),
    ),
  );
  // By the time that this is answered, those were read.
  await ask({ port });
  return {
    complete: () => {
      for (const { socket } of clients.values()) socket.write('\r\n');
    },
    answer: async (path: string) => {
      const [head = '', body = ''] = ((await clients.get(path)?.heard) ?? '').split('\r\n\r\n');
      return { status: Number(head.split(' ')[1]), body };
    },
  };
}
