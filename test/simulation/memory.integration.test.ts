import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Report } from './endless-refresher.ts';

const script = fileURLToPath(new URL('./endless-refresher.ts', import.meta.url));

/**
 * A process of its own, whose heap nobody else fills. The second flag keeps code that falls out of
 * use, such as Node's own stripper of types, from hiding what grows.
 */
const execArgv = ['--expose-gc', '--no-flush-bytecode'];

const EARLY = 1_000;
const LATE = 30_000;

test.concurrent.for(['failing', 'succeeding'])(
  `${LATE} %s refreshes take no more memory and no more listeners than the first ${EARLY}`,
  async (course, { onTestFinished }) => {
    const child = fork(script, [course, String(EARLY), String(LATE)], { execArgv });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [{ early, late, warnings }] = (await once(child, 'message')) as [Report];
    expect([early.listeners, late.listeners]).toEqual([1, 1]);
    expect(Math.abs(late.heapBytes / early.heapBytes - 1)).toBeLessThan(0.05);
    expect(warnings).toEqual([]);
  },
);
