import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { ask } from '../observe/clients.ts';
import type { ProbePath } from '../observe/points.ts';
import type { TokenBody } from '../support/fake-entra/answers.ts';
import type { Fault } from '../support/fake-entra/faults.ts';
import type { LogLine, Pgpassd } from '../support/pgpassd-process.ts';
import { startedFor } from './workload.ts';

type Printing = Pick<Pgpassd, 'lines' | 'waitFor'>;

export async function portOf(pgpassd: Printing): Promise<number> {
  const told = pgpassd.lines.find(({ event }) => event === 'started');
  const { httpPort } = told ?? (await pgpassd.waitFor('started'));
  return Number(httpPort);
}

interface Probed {
  readonly status: number | undefined;
  readonly reason: string;
  readonly tokenExpiresAtMs: number;
  readonly lastErrorAtMs: number;
  /** Around the answer, by the wall clock. */
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/** What one of the probes says now; times that it does not name are `NaN`. */
export async function probe(port: number, path: ProbePath): Promise<Probed> {
  const askedAtMs = Date.now();
  const { status, body } = await ask({ port }, { path });
  const answeredAtMs = Date.now();
  const { reason, tokenExpiresAt, lastError } = JSON.parse(body);
  return {
    status,
    reason,
    tokenExpiresAtMs: Date.parse(tokenExpiresAt),
    lastErrorAtMs: Date.parse(lastError?.at),
    askedAtMs,
    answeredAtMs,
  };
}

/** Asks until an answer is as wanted. Returns all of them, that one last. */
export async function probeUntil(
  port: number,
  path: ProbePath,
  wanted: (probed: Probed) => boolean,
  everyMs = 50,
): Promise<readonly Probed[]> {
  const all: Probed[] = [];
  for (;;) {
    const probed = await probe(port, path);
    all.push(probed);
    if (wanted(probed)) return all;
    await setTimeout(everyMs);
  }
}

const TOO_SLOW = 'the passfile cannot be checked: its volume does not respond';

/** It is ready, and never says otherwise than that this machine is too busy to look at the disk in time. */
export async function expectReady(port: number): Promise<void> {
  const all = await probeUntil(port, '/readyz', ({ reason }) => reason !== TOO_SLOW);
  expect(all.at(-1)).toMatchObject({ status: 200 });
}

/** Entra grants a token that pgpassd takes to live so long. */
export const grantFor = (seconds: number): Fault => ({
  kind: 'mutate',
  change: (body: TokenBody) => ({ ...body, expires_in: seconds }),
});

/** How long after its time each refresh began. */
export function latenessesMs(lines: readonly LogLine[]): number[] {
  return lines.flatMap((refreshed, at) => {
    const begun = lines.slice(at).find(startedFor('due'));
    if (refreshed.event !== 'token.refreshed' || begun === undefined) return [];
    const dueAtMs = Date.parse(refreshed.time) + Number(refreshed['nextRefreshInSeconds']) * 1000;
    return [Date.parse(begun.time) - dueAtMs];
  });
}

/** Waits for a refresh that is due, begins and succeeds from now on. */
export async function refreshFromNow({ lines, waitFor }: Pgpassd): Promise<void> {
  const from = lines.length;
  const begun = await waitFor((line) => startedFor('due')(line) && lines.indexOf(line) >= from);
  await waitFor(
    (line) => line.event === 'token.refreshed' && lines.indexOf(line) > lines.indexOf(begun),
  );
}

export function middleOf(numbers: readonly number[]): number {
  const ordered = numbers.toSorted((one, other) => one - other);
  return ordered[Math.floor(ordered.length / 2)] ?? Number.NaN;
}

/** The value of one metric, with its labels in `name` if it has any. */
export async function metric(pgpassd: Printing, name: string): Promise<number> {
  const { body } = await ask({ port: await portOf(pgpassd) }, { path: '/metrics' });
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(body)?.[1]);
}
