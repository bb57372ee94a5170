import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startPgpassd } from '../support/pgpassd-process.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const jwt = unsignedJwt({ exp: 32_503_680_000 });
const LARGEST_BYTES = 4 * 1024 * 1024;

async function waitFor(content: string, args: readonly string[], entries?: string) {
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

describe('wait', () => {
  test.each<[string, string, string | undefined]>([
    ['every line', lines(16_000, (n) => `h${n}:5432:*:app:${jwt}`), undefined],
    ['one user of every line', lines(16_000, (n) => `h${n}:5432:*:app:${jwt}`), '*:5432:*:app'],
    [
      'two thousand entries',
      lines(16_000, (n) => `h${n}:5432:*:app:${jwt}`),
      lines(2_000, (n) => `h${n * 8}:5432:*:app`),
    ],
    [
      'many wildcards',
      lines(16_000, (n) => `${n % 2 ? '*' : `h${n}`}:5432:${n}:app:${jwt}`),
      '*:*:*:*',
    ],
  ])('is through with 16,000 lines in a few seconds, for %s', async (_case, content, entries) => {
    const { code, tookMs, output } = await waitFor(content, ['--timeout', '20s'], entries);
    expect(code, output).toBe(0);
    expect(tookMs).toBeLessThan(8_000);
  });

  test.each<[string, string, string | undefined]>([
    ['a hundred thousand lines', lines(100_000, (n) => `h${n}:*:*:u:pw`), 'nowhere:5432:*:app'],
    [
      'a line of four megabytes',
      `h:5432:*:app:${'\\:'.repeat(LARGEST_BYTES / 2 - 10)}`,
      'other:5432:*:u',
    ],
    ['nothing but colons', ':'.repeat(LARGEST_BYTES), 'other:5432:*:u'],
    ['nothing but line ends', '\r\n'.repeat(LARGEST_BYTES / 2), undefined],
    [
      'wildcards for many entries',
      lines(100_000, (n) => `*:*:d${n}:*:${'x'.repeat(20)}`),
      lines(5_000, (n) => `h${n}:5432:*:u`),
    ],
  ])('ends by its --timeout whatever the file is: %s', async (_case, content, entries) => {
    const { code, tookMs, output } = await waitFor(content, ['--timeout', '2s'], entries);
    expect([0, 7], output).toContain(code);
    expect(tookMs).toBeLessThan(2_000 + 3_000);
  });
});
