import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startPgpassd } from '../support/pgpassd-process.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const jwt = unsignedJwt({ exp: 32_503_680_000 });
const LARGEST_BYTES = 4 * 1024 * 1024;

async function waitFor(content: string, args: readonly string[], entries: string | undefined) {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-wait-load-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'pgpass');
  await writeFile(path, content, { mode: 0o600 });
  const startedAt = performance.now();
  const pgpassd = startPgpassd({
    args: ['wait', '--passfile', path, ...args],
    env: { PGPASSD_ENTRIES: entries },
  });
  const { code } = await pgpassd.exited;
  return { code, tookMs: performance.now() - startedAt, output: pgpassd.output() };
}

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');

type Case = readonly [what: string, content: string, entries?: string];

/** All at once: more work on the machine than when each has it to itself, and sooner over. */
async function waitForEach(cases: readonly Case[], timeout: string) {
  return Promise.all(
    cases.map(async ([what, content, entries]) => ({
      what,
      ...(await waitFor(content, ['--timeout', timeout], entries)),
    })),
  );
}

const manyLines = lines(16_000, (n) => `h${n}:5432:*:app:${jwt}`);

test('wait is through with 16,000 lines in a few seconds, whatever the entries are', async () => {
  const cases: readonly Case[] = [
    ['every line', manyLines],
    ['one user of every line', manyLines, '*:5432:*:app'],
    ['two thousand entries', manyLines, lines(2_000, (n) => `h${n * 8}:5432:*:app`)],
    [
      'many wildcards',
      lines(16_000, (n) => `${n % 2 ? '*' : `h${n}`}:5432:${n}:app:${jwt}`),
      '*:*:*:*',
    ],
  ];
  for (const { what, code, tookMs, output } of await waitForEach(cases, '20s')) {
    expect(code, `${what}: ${output}`).toBe(0);
    expect(tookMs, what).toBeLessThan(8_000);
  }
});

test('wait ends by its --timeout whatever the file is', async () => {
  const cases: readonly Case[] = [
    ['a hundred thousand lines', lines(100_000, (n) => `h${n}:*:*:u:pw`), 'nowhere:5432:*:app'],
    [
      'a line of four megabytes',
      `h:5432:*:app:${'\\:'.repeat(LARGEST_BYTES / 2 - 10)}`,
      'other:5432:*:u',
    ],
    ['nothing but colons', ':'.repeat(LARGEST_BYTES), 'other:5432:*:u'],
    ['nothing but line ends', '\r\n'.repeat(LARGEST_BYTES / 2)],
    [
      'wildcards for many entries',
      lines(100_000, (n) => `*:*:d${n}:*:${'x'.repeat(20)}`),
      lines(5_000, (n) => `h${n}:5432:*:u`),
    ],
  ];
  for (const { what, code, tookMs, output } of await waitForEach(cases, '1s')) {
    expect([0, 7], `${what}: ${output}`).toContain(code);
    expect(tookMs, what).toBeLessThan(1_000 + 4_000);
  }
});
