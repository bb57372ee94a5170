import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Entry, passwordsIn } from '../../src/passfile/format.ts';
import { entriesLayout } from '../../src/passfile/layout.ts';
import { entryLinesOf, parseInSteps, parseLines } from '../../src/passfile/lookup.ts';
import { firstForeignLine } from '../../src/passfile/ownership.ts';
import { createPassfile } from '../../src/passfile/passfile.ts';
import { judgeInSteps } from '../../src/passfile/unready.ts';
import type { Steps } from '../../src/support/clock.ts';
import { KnownSecrets } from '../../src/support/secret.ts';
import { busyMs, leastOf } from '../support-units/own-time.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const LARGEST_BYTES = 4 * 1024 * 1024;
/** Three times what the longest step takes on a quiet machine; a whole file would take seconds. */
const LONGEST_STEP_MS = 150;

const jwt = unsignedJwt({ exp: 32_503_680_000 });
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');

const longestStepMs = (begin: () => Steps<unknown>): Promise<number> =>
  leastOf(() => longestStepOf(begin()), LONGEST_STEP_MS);

function longestStepOf(steps: Steps<unknown>): number {
  let longest = 0;
  for (;;) {
    const before = busyMs();
    const { done } = steps.next();
    longest = Math.max(longest, busyMs() - before);
    if (done) return longest;
  }
}

const file = { mode: 0o600, uid: 0, gid: 0, sizeBytes: 0, mtimeMs: 0, symlink: false };
const layout = entriesLayout([{ host: 'h', port: '5432', database: null, user: 'me' }]);

describe.each<[string, string]>([
  ['many lines', lines(16_000, (n) => `h${n}:5432:*:app:${jwt}`)],
  ['very many lines', lines(100_000, (n) => `h${n}:*:*:u:pw`)],
  ['wildcards', lines(90_000, (n) => `${n % 2 ? '*' : n}:${n % 3 ? '*' : n}:${n}:*:x`)],
  ['one long line', `h:5432:*:me:${'\\:'.repeat(LARGEST_BYTES / 2 - 10)}`],
  ['colons', ':'.repeat(LARGEST_BYTES)],
  ['what looks like a token', `h:5432:*:you:e30.${'e'.repeat(LARGEST_BYTES - 100)}.c2ln`],
  ['long tokens', lines(60, () => `o:*:*:u:e30.${'e'.repeat(60_000)}.c2ln`)],
  ['carriage returns', '\r'.repeat(LARGEST_BYTES)],
])('a passfile of %s', (_case, content) => {
  test('is parsed in short steps', async () => {
    expect(await longestStepMs(() => parseInSteps(content))).toBeLessThan(LONGEST_STEP_MS);
  });

  test('is judged in short steps', async () => {
    const found = { kind: 'lines', file, lines: parseLines(content) } as const;
    const entries: Entry[] = [
      { host: null, port: null, database: null, user: null },
      { host: 'h1', port: null, database: null, user: 'app' },
      { host: 'h2', port: '5432', database: 'd', user: 'app' },
    ];
    for (const wanted of [[], entries, entries.slice(1)]) {
      const begin = () => judgeInSteps(found, { entries: wanted, minValidityMs: 0 }, 0);
      expect(await longestStepMs(begin)).toBeLessThan(LONGEST_STEP_MS);
    }
    expect(entryLinesOf(found.lines).length).toBeLessThanOrEqual(100_000);
  });

  test('is checked for foreign lines in short steps', async () => {
    const begin = () => firstForeignLine(Buffer.from(content), layout);
    expect(await longestStepMs(begin)).toBeLessThan(LONGEST_STEP_MS);
  });

  test('gives its passwords in short steps', async () => {
    expect(await longestStepMs(() => passwordsIn(Buffer.from(content)))).toBeLessThan(
      LONGEST_STEP_MS,
    );
  });
});

test('a start that reads a passfile of 60,000 lines does not block the event loop', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-steps-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'pgpass');
  await writeFile(
    path,
    lines(60_000, (n) => `h${n}:5432:*:me:password-${n}`),
    { mode: 0o600 },
  );
  const readMs = async () => {
    const secrets = new KnownSecrets();
    const target = { path, mode: 0o600, owner: undefined };
    const passfile = createPassfile(
      target,
      () => layout,
      () => true,
      { secrets },
    );
    const longestMs = await longestTurnMs(() => passfile.adopt());
    expect(secrets.all).toHaveLength(32);
    return longestMs;
  };
  expect(await leastOf(readMs, LONGEST_STEP_MS)).toBeLessThan(LONGEST_STEP_MS);
});

/** What the longest turn of the event loop takes while `work` is under way. */
async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let before = busyMs();
  let turn: NodeJS.Immediate;
  const measure = () => {
    const now = busyMs();
    longest = Math.max(longest, now - before);
    before = now;
    turn = setImmediate(measure);
  };
  turn = setImmediate(measure);
  await work();
  // What came last counts, too.
  await new Promise((resolve) => setImmediate(resolve));
  clearImmediate(turn);
  return longest;
}
