import { accessSync, constants, existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const { repository, homepage, bugs, keywords } = packageJson;
const page = /^git\+(https:\/\/github\.com\/([\w-]+)\/pgpassd)\.git$/.exec(repository.url);
const [, url = '', owner = ''] = page ?? [];

/** What names the repository: documents, GitHub's own files, manifests, the image. */
const published = [
  '*.md',
  'docs/**/*.md',
  '.github/**/*.{md,yml,mjs}',
  'manifests/**/*',
  'Dockerfile',
];

describe("the repository's owner stands in package.json, and", () => {
  test('its other links are of the same repository', () => {
    expect(page).not.toBeNull();
    expect({ homepage, bugs }).toEqual({ homepage: `${url}#readme`, bugs: `${url}/issues` });
  });

  test('reviews every change', () => {
    expect(read('.github/CODEOWNERS').match(/^[^#\n].*$/gm)).toEqual([`* @${owner}`]);
  });

  test('is named wherever the repository or its image is', () => {
    const links = globSync(published, { cwd: root })
      .filter((path) => /\.(?:md|ya?ml|mjs|json)$|Dockerfile$/.test(path))
      .flatMap((path) =>
        [...read(path).matchAll(/(?:github\.com|ghcr\.io|--repo)[/ ]([\w-]+)\/pgpassd/g)].map(
          ([, named]) => `${path}: ${named}`,
        ),
      );
    expect(links).toContain(`.github/ISSUE_TEMPLATE/config.yml: ${owner}`);
    expect(links.filter((link) => !link.endsWith(`: ${owner}`))).toEqual([]);
  });
});

test('the package is found by what it is for', () => {
  expect(keywords).toEqual(
    expect.arrayContaining(['postgresql', 'pgpass', 'entra-id', 'kubernetes']),
  );
});

describe('dependabot', () => {
  interface Update {
    readonly 'package-ecosystem': string;
    readonly directory?: string;
    readonly directories?: readonly string[];
    readonly groups?: object;
    readonly ignore?: readonly { readonly 'dependency-name': string }[];
  }
  const { updates } = parse(read('.github/dependabot.yml')) as { updates: readonly Update[] };
  const updatesOf = (ecosystem: string) =>
    updates.filter((update) => update['package-ecosystem'] === ecosystem);

  test('updates packages, actions and images, in groups', () => {
    expect(updates.map((update) => update['package-ecosystem'])).toEqual([
      'npm',
      'github-actions',
      'docker',
    ]);
    for (const { groups } of updates) expect(Object.keys(groups ?? {})).not.toEqual([]);
  });

  test('looks at every Dockerfile', () => {
    const directories = updatesOf('docker').flatMap((update) => update.directories ?? []);
    const dockerfiles = globSync(['Dockerfile', 'test/**/Dockerfile'], { cwd: root });
    expect(directories.map((each) => join('.', each, 'Dockerfile')).toSorted()).toEqual(
      dockerfiles.toSorted(),
    );
  });

  test('leaves alone only packages that there are', () => {
    const names = Object.keys({ ...packageJson.dependencies, ...packageJson.devDependencies });
    const aliased = Object.values(packageJson.devDependencies).flatMap(
      (version) => /^npm:(.+)@/.exec(version)?.[1] ?? [],
    );
    for (const { ignore = [] } of updatesOf('npm')) {
      for (const { 'dependency-name': name } of ignore)
        expect([...names, ...aliased]).toContain(name);
    }
  });
});

describe('an issue', () => {
  interface Form {
    readonly name: string;
    readonly description: string;
    readonly body: readonly { readonly type: string; readonly id?: string }[];
  }

  test.each(['bug.yml', 'feature.yml'])('%s is a form that GitHub takes', (file) => {
    const form = parse(read(`.github/ISSUE_TEMPLATE/${file}`)) as Form;
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
    const fields = form.body.filter(({ type }) => type !== 'markdown');
    for (const { type } of fields) expect(['textarea', 'input', 'dropdown']).toContain(type);
    expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length);
  });

  test('about a vulnerability is led to a private report', () => {
    const { contact_links: links } = parse(read('.github/ISSUE_TEMPLATE/config.yml')) as {
      contact_links: readonly { readonly url: string }[];
    };
    expect(links.map((link) => link.url)).toEqual([`${url}/security/advisories/new`]);
  });
});

test.each(['run', 'containers'])('.ci/%s calls only scripts that exist', (script) => {
  const commands = read(`.ci/${script}`).replaceAll(/^ *(?:#|echo ).*$/gm, '');
  const called = commands.match(/(?<=^|[ (])\.ci\/[\w./-]+/gm) ?? [];
  expect(called).not.toEqual([]);
  for (const path of called) {
    accessSync(join(root, path), path.endsWith('.mjs') ? constants.R_OK : constants.X_OK);
  }
});

test('contributors find how to behave, and what a pull request takes', () => {
  for (const file of ['CODE_OF_CONDUCT.md', 'PULL_REQUEST_TEMPLATE.md']) {
    expect(existsSync(join(root, '.github', file)), file).toBe(true);
  }
});
