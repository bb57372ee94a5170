import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startPgpassd } from '../support/pgpassd-process.ts';

const RUNS = 10;
const AT_ONCE = 5;

/** A small heap and eager compiling: a thread that compiles then often waits for a garbage collection. */
const strained = [
  'sh',
  '-c',
  'exec "$0" --initial-heap-size=1 --baseline-batch-compilation-threshold=1 "$@"',
];

// With concurrent Sparkplug about one run in five never ended: https://github.com/nodejs/node/issues/54918
test.concurrent('wait ends while Node.js compiles in threads of its own', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-exit-'));
  context.onTestFinished(() => rm(directory, { recursive: true }));
  const passfile = join(directory, 'pgpass');
  await writeFile(passfile, ':'.repeat(4 * 1024 * 1024), { mode: 0o600 });
  const waitOnce = async () => {
    const { exited } = startPgpassd({
      args: ['wait', '--passfile', passfile, '--timeout', '1s'],
      env: { PGPASSD_ENTRIES: 'other:5432:*:u' },
      under: strained,
      onTestFinished: context.onTestFinished,
    });
    return (await exited).code;
  };
  for (let run = 0; run < RUNS; run += AT_ONCE) {
    const codes = await Promise.all(Array.from({ length: AT_ONCE }, waitOnce));
    expect(codes).toEqual(codes.map(() => 7));
  }
});
