import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { openWorkload } from './workload.ts';

/** A process namespace of its own, as a container has it; who is not the superuser needs a user namespace, too. */
const unshare = [
  'unshare',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  '--pid',
  '--fork',
  '--kill-child',
];

function whyNot(): string | undefined {
  const [program = '', ...args] = unshare;
  const { error, status, stderr } = spawnSync(program, [...args, 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

const obstacle = whyNot();
if (obstacle !== undefined) console.warn(`not run as process 1: ${obstacle}`);

/** The kernel ignores a signal to process 1 that it has no handler for. */
describe.skipIf(obstacle !== undefined)('run as process 1 of its namespace (needs unshare)', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (name) => {
    const { start } = await openWorkload();
    const pgpassd = start(['run'], { under: unshare });
    await pgpassd.waitFor('token.refreshed');
    const insider = await onlyChildOf(pgpassd.pid);
    expect(await innerPidOf(insider)).toBe(1);
    process.kill(insider, name);
    expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
    expect(pgpassd.lines.at(-1)).toMatchObject({ event: 'stopped' });
  });
});

async function onlyChildOf(pid: number): Promise<number> {
  return Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}

async function innerPidOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]);
}
