// Adds up the reports of several runs of the same tests: a test counts once, and has run when it
// ran in any of them. Ends non-zero when one failed or ran nowhere.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const outcomes = new Map();
for (const path of process.argv.slice(2)) {
  const { testResults } = JSON.parse(readFileSync(path, 'utf8'));
  const root = path.replace(/[^/]*$/, '');
  for (const { name: file, assertionResults } of testResults) {
    for (const { fullName, status } of assertionResults) {
      const key = `${relative(root, file)}: ${fullName}`;
      outcomes.set(key, [...(outcomes.get(key) ?? []), status]);
    }
  }
}

const having = (wanted) =>
  [...outcomes].filter(([, statuses]) => wanted(statuses)).map(([key]) => key);
const failed = having((statuses) => statuses.includes('failed'));
const skipped = having(
  (statuses) => !statuses.some((status) => status === 'passed' || status === 'failed'),
);
const passed = outcomes.size - failed.length - skipped.length;

for (const key of failed) console.log(`failed: ${key}`);
for (const key of skipped) console.log(`ran nowhere: ${key}`);
console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
process.exit(passed > 0 && failed.length === 0 && skipped.length === 0 ? 0 : 1);
