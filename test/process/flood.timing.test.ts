import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ask } from '../observe/clients.ts';
import { canLimitMemory, openMemoryCgroup } from '../support/memory-cgroup.ts';
import type { Pgpassd } from '../support/pgpassd-process.ts';
import { latenessesMs, middleOf, portOf, probe } from './probing.ts';
import { openWorkload, startedFor } from './workload.ts';

/** As many as may be connected at once. */
const CLIENTS = 512;
const REFRESHES = 3;

const MEDIAN_MS = 1_000;
const WORST_MS = 3_000;
const ON_TIME_MS = 1_000;

const kinds = [
  'pipelined',
  'pipelined without end',
  'byte by byte',
  'silent',
  'half a request',
  'half-closed',
  'half-closed in a head',
  'never reading',
  'readiness and metrics',
  'header of 1 MB',
  'thousands of headers',
  'body of 1 MB',
  'body in chunks',
  'blank lines',
  'no HTTP',
];

const NODE_COMPILE_CACHE = undefined;
/** As the Dockerfile has Node run. */
const image = {
  NODE_COMPILE_CACHE,
  NODE_OPTIONS: '--max-semi-space-size=1 --max-old-space-size=32',
  MALLOC_ARENA_MAX: '1',
};

const cases = [
  ...kinds.map((kind) => ({ kind, limitMiB: 64, how: 'as in the image', env: image })),
  ...['pipelined', 'byte by byte', 'half-closed', 'never reading', 'readiness and metrics'].map(
    (kind) => ({ kind, limitMiB: 128, how: 'as it comes', env: { NODE_COMPILE_CACHE } }),
  ),
];

const project = fileURLToPath(new URL('../../', import.meta.url));
const flood = fileURLToPath(new URL('../support/flood.ts', import.meta.url));

describe.skipIf(!canLimitMemory())('flooded (needs to limit memory by a cgroup)', () => {
  let root = '';

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'pgpassd-bundle-'));
    const rolldown = join(project, 'node_modules', '.bin', 'rolldown');
    const args = ['--config', '--dir', join(root, 'bundle')];
    await promisify(execFile)(rolldown, args, { cwd: project });
    await copyFile(join(project, 'package.json'), join(root, 'package.json'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test.each(cases)(
    '$how, in $limitMiB MiB, by clients of the kind "$kind" it lives, answers, and refreshes on time',
    async ({ kind, limitMiB, env }) => {
      const cgroup = openMemoryCgroup(limitMiB);
      onTestFinished(() => cgroup.remove());
      // Due every two seconds, and valid long enough for a busy machine.
      const { start } = await openWorkload({ accessTokenLifetimeSeconds: 8 });
      const entry = join(root, 'bundle', 'main.js');
      const pgpassd = start(['run', '--refresh-fraction', '0.25'], {
        entry,
        under: cgroup.enter,
        env,
      });
      await pgpassd.waitFor('token.refreshed');
      const port = await portOf(pgpassd);
      await letLoose(port, CLIENTS, kind);

      await pgpassd.waitFor(startedFor('due'));
      const tookMs: number[] = [];
      for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
        tookMs.push(...(await probeUntilDue(port, pgpassd)));
        expect((await probe(port, '/readyz')).status).toBe(200);
      }
      expect(cgroup.kills()).toBe(0);
      expect(middleOf(tookMs)).toBeLessThan(MEDIAN_MS);
      expect(Math.max(...tookMs)).toBeLessThan(WORST_MS);
      expect(middleOf(latenessesMs(pgpassd.lines))).toBeLessThan(ON_TIME_MS);
      expect(pgpassd.lines.map(({ event }) => event)).not.toContain('refresh.failed');
    },
  );
});

/** Asks one time after the other until the next refresh begins. Resolves with how long each took. */
async function probeUntilDue(port: number, pgpassd: Pgpassd): Promise<number[]> {
  const tookMs: number[] = [];
  const due = pgpassd.waitFor(startedFor('due')).then(() => true);
  // Where a probe fails first, that is what is told.
  due.catch(() => undefined);
  const probing = async () => {
    const sinceMs = performance.now();
    expect((await ask({ port })).status).toBe(200);
    tookMs.push(performance.now() - sinceMs);
    return false;
  };
  // Kubelet does not ask without pause either.
  do await probing();
  while (!(await Promise.race([due, sleep(20, false)])));
  return tookMs;
}

/** Until the test has finished; resolves when all of them have spoken. */
async function letLoose(port: number, count: number, kind: string): Promise<void> {
  const clients = spawn(process.execPath, [flood, `${port}`, `${count}`, kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(clients, 'close');
  onTestFinished(async () => {
    clients.kill('SIGKILL');
    await ended;
  });
  await once(clients.stdout, 'data');
}
