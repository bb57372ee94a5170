import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const script = join(import.meta.dirname, '../.ci/count-tests.mjs');

type Outcomes = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** Counts the reports of several runs in a checkout that has these files. */
async function count(files: readonly string[], reports: readonly Outcomes[]) {
  const root = await mkdtemp(join(tmpdir(), 'pgpassd-count-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const put = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  await put('.ci/.keep', '');
  await copyFile(script, join(root, '.ci/count-tests.mjs'));
  for (const file of files) await put(file, '');
  const paths = reports.map((_, number) => join(root, `copy ${number}`, 'report.json'));
  for (const [number, report] of reports.entries()) {
    const testResults = Object.entries(report).map(([file, tests]) => ({
      name: join(root, `copy ${number}`, file),
      assertionResults: Object.entries(tests).flatMap(([fullName, outcomes]) =>
        [outcomes].flat().map((status) => ({ fullName, status })),
      ),
    }));
    await put(`copy ${number}/report.json`, JSON.stringify({ testResults }));
  }
  const counter = join(root, '.ci/count-tests.mjs');
  const { status, stdout } = spawnSync(process.execPath, [counter, ...paths], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

const files = ['test/one.test.ts', 'test/deep/other.timing.test.ts', 'test/helper.ts'];

test('a test that ran in one of the runs has run', async () => {
  const { status, lines } = await count(files, [
    { 'test/one.test.ts': { a: 'passed', b: 'skipped' } },
    {
      'test/one.test.ts': { a: 'skipped', b: 'passed' },
      'test/deep/other.timing.test.ts': { c: 'passed' },
    },
  ]);
  expect(lines).toEqual(['3 passed, 0 failed, 0 skipped']);
  expect(status).toBe(0);
});

test.each<[string, Outcomes, string]>([
  [
    'a test that was skipped everywhere',
    { 'test/one.test.ts': { a: 'skipped' } },
    'test/one.test.ts: a',
  ],
  ['a file that is in no report', {}, 'test/one.test.ts'],
  ['a file of which no test is in a report', { 'test/one.test.ts': {} }, 'test/one.test.ts'],
])('%s is named, and ends it with 1', async (_what, report, named) => {
  const other = { 'test/deep/other.timing.test.ts': { c: 'passed' } };
  const { status, lines } = await count(files, [{ ...report, ...other }]);
  expect(lines[0]).toBe(`ran nowhere: ${named}`);
  expect(status).toBe(1);
});

test('of two with one name each counts', async () => {
  const { status, lines } = await count(
    ['test/one.test.ts'],
    [{ 'test/one.test.ts': { a: ['passed', 'skipped'] } }],
  );
  expect(lines).toEqual(['ran nowhere: test/one.test.ts: a (2)', '1 passed, 0 failed, 1 skipped']);
  expect(status).toBe(1);
});

test('a test that failed in one of the runs has failed', async () => {
  const { status, lines } = await count(
    ['test/one.test.ts'],
    [{ 'test/one.test.ts': { a: 'passed' } }, { 'test/one.test.ts': { a: 'failed' } }],
  );
  expect(lines).toEqual(['failed: test/one.test.ts: a', '0 passed, 1 failed, 0 skipped']);
  expect(status).toBe(1);
});
