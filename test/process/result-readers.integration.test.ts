import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { untilItHasHandlers } from './handlers.ts';
import { openStallingReader } from './stalling-reader.ts';
import { openWorkload, sentencesOf, type Workload } from './workload.ts';

const offline = { PGPASSD_HTTP_ADDRESS: 'off' };

/** Clients to tell the lines of, for a report of more than the 64 KiB that a pipe takes at once. */
const clients = Array.from({ length: 600 }, (_, at) => [
  '--for',
  `server-${at}:5432:db:app`,
]).flat();

const results: [string, readonly string[]][] = [
  ['a report in JSON', ['check', '--json', '--offline', ...clients]],
  ['a report', ['check', '--offline', ...clients]],
  ['the help', ['--help']],
  ['the version', ['--version']],
];

/** Ages differ from one run to the next. */
const withoutNumbers = (text: string) => text.replaceAll(/\d+(\.\d+)?/g, 'N');

/** With a passfile in place, which has a line for none of the clients. */
async function openClient(): Promise<Workload> {
  const workload = await openWorkload();
  await writeFile(workload.passfile, 'server:5432:*:app:x\n', { mode: 0o600 });
  return workload;
}

type Result = { readonly text: string; readonly code: number | null };

const known = new Map<readonly string[], Promise<Result>>();

/** What a program prints to a reader who waits for it, and how it ends: found out once. */
function usual(workload: Workload, args: readonly string[]): Promise<Result> {
  const result = known.get(args) ?? findOut(workload, args);
  known.set(args, result);
  return result;
}

async function findOut({ directory, start }: Workload, args: readonly string[]): Promise<Result> {
  const reader = await openStallingReader(join(directory, `usual-${args.length}`));
  const pgpassd = start(args, { under: reader.under, env: offline });
  return { text: await reader.textUntil(pgpassd.exited), code: (await pgpassd.exited).code };
}

describe('a reader who begins late', () => {
  test.each(results)('finds the whole of %s', async (_what, args) => {
    const workload = await openClient();
    const expected = await usual(workload, args);
    const reader = await openStallingReader(join(workload.directory, 'pipe'));
    const pgpassd = workload.start(args, { under: reader.under, env: offline });
    const first = await reader.firstByte();
    const text = first + (await reader.textUntil(pgpassd.exited));
    expect(await pgpassd.exited).toEqual({ code: expected.code, signal: null });
    expect(withoutNumbers(text)).toBe(withoutNumbers(expected.text));
  });

  test('reads more than a pipe takes at once', async () => {
    const workload = await openClient();
    for (const [, args] of results.slice(0, 2)) {
      expect((await usual(workload, args)).text.length).toBeGreaterThan(65_536);
    }
  });
});

describe('a reader who never begins', () => {
  test.each([
    ['check', 'SIGTERM', 143, ['check', '--json', '--offline']],
    ['check', 'SIGINT', 130, ['check', '--json', '--offline']],
    ['--help', 'SIGTERM', 143, ['--help']],
  ] as const)('does not keep %s from ending at %s', async (_what, name, code, args) => {
    const { directory, start } = await openWorkload();
    const reader = await openStallingReader(join(directory, 'pipe'));
    await reader.stall();
    const pgpassd = start(args, { under: reader.under, env: offline });
    await untilItHasHandlers(pgpassd);
    pgpassd.signal(name);
    expect(await pgpassd.exited).toEqual({ code, signal: null });
    expect(pgpassd.errors()).toBe('');
  });
});

describe('a reader who goes away at once', () => {
  test.each(results)('does not change how %s ends', async (_what, args) => {
    const workload = await openClient();
    const { code } = await usual(workload, args);
    const under = ['sh', '-c', '{ "$0" "$@"; echo "code $?" >&2; } | :'];
    const pgpassd = workload.start(args, { under, env: offline });
    await pgpassd.exited;
    expect(pgpassd.errors()).toBe(`code ${code}\n`);
  });

  test('does not turn a bad configuration into an internal error', async () => {
    const { start } = await openWorkload();
    const under = ['sh', '-c', '{ "$0" "$@" 2>&1; echo "code $?" >&3; } 3>&2 | :'];
    const pgpassd = start(['once', '--mode', '0644'], { under });
    await pgpassd.exited;
    expect(pgpassd.errors()).toBe('code 2\n');
  });
});

test.each(results)('where nothing more can be written, %s is no success', async (_what, args) => {
  const workload = await openClient();
  const { code } = await usual(workload, args);
  const under = ['sh', '-c', '"$0" "$@" > /dev/full'];
  const pgpassd = workload.start(args, { under, env: offline });
  expect((await pgpassd.exited).code).toBe(code || 1);
  expect(sentencesOf(pgpassd.errors())).toEqual(['standard output cannot be written (ENOSPC)']);
});
