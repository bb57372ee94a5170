// What CHANGELOG.md says of the release with this tag, of the repository at this URL. Ends with 1 where the
// tag is not the version of package.json, there is no section of that version with a date and a line in it,
// or package.json names another repository: npm then refuses the provenance, after the image is out.
import { readFileSync } from 'node:fs';

const [tag, repositoryUrl] = process.argv.slice(2);
const { version, repository } = JSON.parse(readFileSync('package.json', 'utf8'));
const [, ...sections] = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
const section = sections.find((each) => each.startsWith(`${version} - `));
const [heading = '', ...lines] = (section ?? '').split('\n');
const notes = lines.join('\n').trim();

const problem =
  tag !== `v${version}`
    ? `the tag ${tag} is not v${version}, as package.json has it`
    : section === undefined
      ? `CHANGELOG.md has no section "## ${version} - YYYY-MM-DD"`
      : !/ - \d{4}-\d{2}-\d{2}$/.test(heading.trim())
        ? `the section ${version} of CHANGELOG.md has no date`
        : notes === ''
          ? `the section ${version} of CHANGELOG.md is empty`
          : repository?.url !== `git+${repositoryUrl}.git` &&
            `package.json's repository.url is not git+${repositoryUrl}.git`;

if (problem) {
  process.stderr.write(`release-notes: ${problem}\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`${notes}\n`);
}
