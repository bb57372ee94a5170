// Merges the reports of several runs of the same tests: a test counts once, and has run if any of the
// runs ran it. Exits with 1 if a test failed or ran nowhere, or if no run included its file.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const outcomes = new Map();
const taken = new Set();
for (const path of process.argv.slice(2)) {
  const { testResults } = JSON.parse(readFileSync(path, 'utf8'));
  const root = path.replace(/[^/]*$/, '');
  for (const { name: file, assertionResults } of testResults) {
    if (assertionResults.length > 0) taken.add(relative(root, file));
    const named = new Map();
    for (const { fullName, status } of assertionResults) {
      // Several rows of a table may have the same name.
      const count = (named.get(fullName) ?? 0) + 1;
      named.set(fullName, count);
      const key = `${relative(root, file)}: ${fullName}${count > 1 ? ` (${count})` : ''}`;
      outcomes.set(key, [...(outcomes.get(key) ?? []), status]);
    }
  }
}

const left = readdirSync(join(import.meta.dirname, '../test'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts') && !taken.has(`test/${name}`))
  .map((name) => `test/${name}`);

const having = (wanted) =>
  [...outcomes].filter(([, statuses]) => wanted(statuses)).map(([key]) => key);
const failed = having((statuses) => statuses.includes('failed'));
const skipped = having(
  (statuses) => !statuses.some((status) => status === 'passed' || status === 'failed'),
);
const passed = outcomes.size - failed.length - skipped.length;

for (const key of failed) console.log(`failed: ${key}`);
for (const key of [...skipped, ...left]) console.log(`ran nowhere: ${key}`);
console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
const all = failed.length === 0 && skipped.length === 0 && left.length === 0;
process.exit(passed > 0 && all ? 0 : 1);
