// Prints the section of CHANGELOG.md for a release: release-notes.mjs TAG [REPOSITORY_URL]. Exits with 1
// unless the tag is the version in package.json, that version has a dated section that is not empty, and,
// with a URL, package.json names that repository: npm refuses the provenance of a package that names another
// one, and by then the image is published.
import { readFileSync } from 'node:fs';

const [tag, repositoryUrl] = process.argv.slice(2);
const { version, repository } = JSON.parse(readFileSync('package.json', 'utf8'));
const [, ...sections] = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
const section = sections.find((each) => each.startsWith(`${version} - `));
const [heading = '', ...lines] = (section ?? '').split('\n');
const notes = lines.join('\n').trim();

function problemWithVersion() {
  if (tag !== `v${version}`)
    return `the tag ${tag} is not v${version}, the version in package.json`;
  if (section === undefined) return `CHANGELOG.md has no section "## ${version} - YYYY-MM-DD"`;
  if (!/ - \d{4}-\d{2}-\d{2}$/.test(heading.trim())) {
    return `the section ${version} of CHANGELOG.md has no date`;
  }
  return notes === '' ? `the section ${version} of CHANGELOG.md is empty` : undefined;
}

function problemWithRepository() {
  const url = repository?.url;
  if (url?.includes('/OWNER/')) {
    return 'repository.url in package.json still has the placeholder OWNER; see CONTRIBUTING.md';
  }
  const wanted = `git+${repositoryUrl}.git`;
  return url === wanted ? undefined : `repository.url in package.json is not ${wanted}`;
}

const problem = problemWithVersion() ?? (repositoryUrl && problemWithRepository());
if (problem) {
  process.stderr.write(`release-notes: ${problem}\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`${notes}\n`);
}
