// Prints the test files of a report in which tests were skipped, one a line, relative to their checkout.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [report] = process.argv.slice(2);
for (const { name, assertionResults } of JSON.parse(readFileSync(report, 'utf8')).testResults) {
  if (assertionResults.some(({ status }) => status === 'skipped' || status === 'pending')) {
    console.log(relative(report.replace(/[^/]*$/, ''), name));
  }
}
