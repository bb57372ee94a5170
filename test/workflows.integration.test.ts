import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../package.json' with { type: 'json' };

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix: { readonly include: readonly Cluster[] } };
  readonly steps?: readonly Step[];
}

interface Cluster {
  readonly release: string;
  readonly node: string;
  readonly kubectl: string;
  readonly arguments?: string;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly concurrency?: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

const root = join(import.meta.dirname, '..');
const folder = join(root, '.github/workflows');
const files = readdirSync(folder);
const textOf = (file: string): string => readFileSync(join(folder, file), 'utf8');
const workflowOf = (file: string): Workflow => parse(textOf(file)) as Workflow;

const ci = workflowOf('ci.yml');
const release = workflowOf('release.yml');

function jobOf({ jobs }: Workflow, name: string): Job {
  const job = jobs[name];
  if (job === undefined) throw new Error(`no job ${name}`);
  return job;
}

const stepsOf = ({ jobs }: Workflow): readonly Step[] =>
  Object.values(jobs).flatMap(({ steps }) => steps ?? []);

const scriptOf = ({ steps }: Job): string => (steps ?? []).map(({ run }) => run ?? '').join('\n');

/** Every job that has to succeed before this one begins. */
function before(workflow: Workflow, name: string): readonly string[] {
  const needs = [jobOf(workflow, name).needs ?? []].flat();
  return [...new Set(needs.flatMap((each) => [...before(workflow, each), each]))];
}

describe.each(files)('%s', (file) => {
  const workflow = workflowOf(file);
  const text = textOf(file);

  test('names every action by its commit, and says which version that is', () => {
    const lines = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      if (line.includes('uses: ./')) continue;
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  test('uses one version of each action', () => {
    const used = [...text.matchAll(/uses: ([\w-]+\/[\w-]+)@(.+)/g)];
    expect(new Set(used.map(([, name, version]) => `${name}@${version}`)).size).toBe(
      new Set(used.map(([, name]) => name)).size,
    );
  });

  test('names every image by its digest', () => {
    const words = text.split(/[\s="']+/);
    // With a tag that has a number; the job builds those with the tag e2e itself.
    const images = words.filter((word) => /^[\w.-]+(\/[\w.-]+)*:(?!e2e$)\D{0,6}\d/.test(word));
    expect(images.length).toBeGreaterThan(0);
    for (const image of images) expect(image).toMatch(/:[\w.-]+@sha256:[0-9a-f]{64}$/);
  });

  test('gives each job what it needs and nothing by default', () => {
    expect(workflow.permissions).toEqual({});
    for (const { permissions } of Object.values(workflow.jobs)) expect(permissions).toBeDefined();
  });

  test('bounds every job in time, and does not run twice at once', () => {
    expect(workflow.concurrency?.group).toContain('github.ref');
    for (const { uses, 'timeout-minutes': minutes } of Object.values(workflow.jobs)) {
      if (uses === undefined) expect(minutes).toBeLessThanOrEqual(60);
    }
  });

  test('keeps no credentials in a checkout, and no secret of its own', () => {
    const checkouts = stepsOf(workflow).filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const step of checkouts) expect(step.with?.['persist-credentials']).toBe(false);
    expect(text).not.toMatch(/\bsecrets\b\s*[.:[]/);
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target');
  });

  test('passes values to scripts only through the environment', () => {
    for (const { run = '' } of stepsOf(workflow)) expect(run).not.toContain('${{');
  });

  test('calls only scripts and files that exist', () => {
    const script = stepsOf(workflow)
      .map(({ run = '' }) => run)
      .join('\n');
    for (const [, name = ''] of script.matchAll(/npm run ([\w:]+)/g)) {
      expect(Object.keys(packageJson.scripts)).toContain(name);
    }
    for (const [path] of script.matchAll(/(?<=^|[ "])(?:\.[\w-]+|test)\/[\w./-]+/gm)) {
      expect(existsSync(join(root, path)), path).toBe(true);
    }
    for (const { uses } of Object.values(workflow.jobs)) {
      if (uses !== undefined) expect(existsSync(join(root, uses)), uses).toBe(true);
    }
  });

  test('sets up the Node.js that the tests run with', () => {
    const setUps = stepsOf(workflow).filter(({ uses }) => uses?.startsWith('actions/setup-node@'));
    for (const step of setUps) {
      expect(step.with?.['node-version']).toBe(packageJson.devDependencies.node);
    }
  });
});

describe('CI', () => {
  test('runs for pull requests, for main and before a release', () => {
    expect(Object.keys(ci.on).toSorted()).toEqual(['pull_request', 'push', 'workflow_call']);
    expect(ci.on['push']).toEqual({ branches: ['main'] });
  });

  test('runs .ci/run, which is executable', () => {
    expect(scriptOf(jobOf(ci, 'checks'))).toBe('\n\n.ci/run');
    accessSync(join(root, '.ci/run'), constants.X_OK);
  });

  test('has no permission but to read', () => {
    for (const { permissions } of Object.values(ci.jobs)) {
      expect(permissions).toEqual({ contents: 'read' });
    }
  });

  test('tries the manifests on clusters from 1.29 on, with their own kubectl', () => {
    const kubernetes = jobOf(ci, 'kubernetes');
    expect(scriptOf(kubernetes)).toContain('npm run test:kubernetes');
    const clusters = kubernetes.strategy?.matrix.include ?? [];
    expect(clusters.map((each) => each.release)).toEqual(
      expect.arrayContaining(['1.29', '1.33', '1.36']),
    );
    for (const cluster of clusters) {
      expect(cluster.node).toContain(`kindest/node:${cluster.kubectl}@`);
      expect(cluster.kubectl).toContain(`v${cluster.release}.`);
    }
  });

  test('requires the admission policies on releases that have them', () => {
    for (const { release: each, arguments: given } of jobOf(ci, 'kubernetes').strategy?.matrix
      .include ?? []) {
      expect(given).toBe(Number(each.split('.')[1]) >= 36 ? '--require-inject' : undefined);
    }
  });
});

describe('a release', () => {
  const publishing = Object.entries(release.jobs)
    .filter(([, { permissions }]) => Object.values(permissions ?? {}).includes('write'))
    .map(([name]) => name);

  test('is made by a tag', () => {
    expect(release.on).toEqual({ push: { tags: ['v*'] } });
  });

  test('publishes nothing before the changelog was checked and all of CI has passed', () => {
    expect(jobOf(release, 'verify').uses).toBe('./.github/workflows/ci.yml');
    expect(scriptOf(jobOf(release, 'notes'))).toContain(
      'node .github/release-notes.mjs "$GITHUB_REF_NAME" "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"',
    );
    expect(publishing).toEqual(['image', 'package', 'announce']);
    for (const name of publishing) {
      expect(before(release, name)).toEqual(expect.arrayContaining(['notes', 'verify']));
    }
  });

  test('has an identity where something is signed, and nowhere else', () => {
    const signing = Object.entries(release.jobs).filter(([, job]) => job.permissions?.['id-token']);
    expect(signing.map(([name]) => name)).toEqual(['image', 'package']);
  });

  test('builds for both architectures, with SBOM, provenance and a signature', () => {
    const image = jobOf(release, 'image');
    const build = image.steps?.find(({ uses }) => uses?.startsWith('docker/build-push-action@'));
    expect(build?.with).toMatchObject({
      platforms: 'linux/amd64,linux/arm64',
      sbom: expect.stringContaining('generator='),
      provenance: 'mode=max',
    });
    expect(scriptOf(image)).toContain('cosign sign --yes "$REFERENCE"');
    expect(image.steps?.some(({ uses }) => uses?.startsWith('actions/attest-build-prov'))).toBe(
      true,
    );
    const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
    for (const [name = ''] of String(build?.with?.['build-args']).matchAll(/^\w+/gm)) {
      expect(dockerfile).toMatch(new RegExp(`^ARG ${name}\\b`, 'm'));
    }
  });

  test('publishes the package with provenance', () => {
    expect(scriptOf(jobOf(release, 'package'))).toContain('npm publish --provenance');
  });
});

describe('the notes of a release', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pgpassd-release-'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  const ours = 'https://github.com/owner/pgpassd';

  async function notesOf(
    changelog: string,
    repository: object | undefined,
    ...args: readonly string[]
  ) {
    const described = JSON.stringify({ version: '1.2.3', repository });
    await writeFile(join(directory, 'package.json'), described);
    await writeFile(join(directory, 'CHANGELOG.md'), changelog);
    const script = join(root, '.github/release-notes.mjs');
    return spawnSync(process.execPath, [script, ...args], { cwd: directory, encoding: 'utf8' });
  }

  const repository = { type: 'git', url: `git+${ours}.git` };

  const section = '## 1.2.3 - 2026-11-25\n\n### Fixed\n\n- A thing.\n\n';
  const changelog = `# Changelog\n\n## Unreleased\n\n${section}## 1.2.2 - 2026-11-01\n\n- Old.\n`;

  test.each([
    ['before anything is published', ['v1.2.3', ours]],
    ['for the release itself', ['v1.2.3']],
  ])('are its section of the changelog, %s', async (_, args) => {
    const { status, stdout, stderr } = await notesOf(changelog, repository, ...args);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: '### Fixed\n\n- A thing.\n',
      stderr: '',
    });
  });

  test.each([
    ['another version', 'v1.2.4', changelog, 'the tag v1.2.4 is not v1.2.3'],
    ['no version', '1.2.3', changelog, 'the tag 1.2.3 is not v1.2.3'],
    ['no section', 'v1.2.3', changelog.replace('1.2.3', '1.2.30'), 'has no section "## 1.2.3 - '],
    ['no date', 'v1.2.3', changelog.replace('2026-11-25', 'soon'), 'has no date'],
    [
      'nothing to say',
      'v1.2.3',
      changelog.replace(section, '## 1.2.3 - 2026-11-25\n\n'),
      'is empty',
    ],
  ])('are refused with %s', async (_, tag, text, message) => {
    const { status, stdout, stderr } = await notesOf(text, repository, tag, ours);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(message);
  });

  test.each([
    ['none', undefined, `is not git+${ours}.git`],
    [
      'another',
      { ...repository, url: 'git+https://github.com/another/pgpassd.git' },
      `is not git+${ours}.git`,
    ],
    [
      'the placeholder',
      { ...repository, url: 'git+https://github.com/OWNER/pgpassd.git' },
      'still has the placeholder OWNER',
    ],
  ])('are refused with %s as the repository of the package', async (_, given, message) => {
    const { status, stdout, stderr } = await notesOf(changelog, given, 'v1.2.3', ours);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(`repository.url in package.json ${message}`);
  });
});
