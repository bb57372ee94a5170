import { readdir, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Inside } from './probe.ts';

export interface Sample {
  /** Since the start of the run. */
  readonly minute: number;
  readonly rssKiB: number;
  readonly heapKiB: number;
  readonly threads: number;
  /** Open file descriptors. */
  readonly files: number;
  readonly timers: number;
  readonly resources: number;
}

/** Longer than any collection of garbage: who does not answer by then is gone. */
const ANSWER_MS = 10_000;

/** Looks at a process that has the probe loaded, from outside and from inside. */
export async function takeSample(pid: number, answerPath: string, minute: number): Promise<Sample> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const files = (await readdir(`/proc/${pid}/fd`)).length;
  const inside = await ask(pid, answerPath);
  return {
    minute,
    rssKiB: numberIn(status, 'VmRSS'),
    threads: numberIn(status, 'Threads'),
    files,
    heapKiB: Math.round(inside.heapUsedBytes / 1024),
    timers: inside.timers,
    resources: inside.resources.length,
  };
}

async function ask(pid: number, answerPath: string): Promise<Inside> {
  await rm(answerPath, { force: true });
  process.kill(pid, 'SIGUSR2');
  const givenUpMs = performance.now() + ANSWER_MS;
  while (performance.now() < givenUpMs) {
    const answer = await readFile(answerPath, 'utf8').catch(() => undefined);
    if (answer !== undefined) return JSON.parse(answer) as Inside;
    await sleep(5);
  }
  throw new Error(`process ${pid} does not answer`);
}

function numberIn(status: string, name: string): number {
  const value = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1];
  if (value === undefined) throw new Error(`no ${name} in /proc/PID/status`);
  return Number(value);
}
