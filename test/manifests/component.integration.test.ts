import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasKubectl, manifestsFolder, parseManifests, renderText } from './kubectl.ts';

const workloads = join(import.meta.dirname, 'workloads');
const golden = join(import.meta.dirname, 'golden/component');

const folders = readdirSync(manifestsFolder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('kustomization.yaml'))
  .map((path) => path.replace(/\/kustomization\.yaml$/, ''))
  .toSorted();

let rendering: Promise<string> | undefined;

/** Once for all tests. */
function renderWorkloads(): Promise<string> {
  rendering ??= renderText(workloads);
  return rendering;
}

/** A line of YAML in a comment, as against one of prose. */
const COMMENT = /^# {5}(.*)$/gm;

const isComponent = (folder: string) => folder.startsWith('components/');

describe.skipIf(!hasKubectl)('kubectl kustomize', () => {
  test.each(folders.filter((folder) => !isComponent(folder)))('renders %s', async (folder) => {
    expect(await renderText(join(manifestsFolder, folder))).toContain('apiVersion: ');
  });

  test.each(folders.filter(isComponent))('renders %s, which by itself is empty', async (folder) => {
    expect(await renderText(join(manifestsFolder, folder))).toBe('');
  });

  test.each([
    ['Deployment', 'small'],
    ['StatefulSet', 'queue'],
    ['Job', 'migrate'],
    ['CronJob', 'report'],
    ['Deployment', 'shop'],
  ])('the component makes of the %s %s what one would write by hand', async (kind, name) => {
    const text = (await renderWorkloads())
      .split(/^---\n/m)
      .find((each) => each.includes(`\nkind: ${kind}\nmetadata:\n  name: ${name}\n`));
    await expect(text).toMatchFileSnapshot(join(golden, `${kind.toLowerCase()}-${name}.yaml`));
  });

  test('the component adds no object to the five workloads and their settings', async () => {
    const kinds = parseManifests(await renderWorkloads()).map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual([
      'ConfigMap',
      'CronJob',
      'Deployment',
      'Deployment',
      'Job',
      'StatefulSet',
    ]);
  });

  test('the lines that the component asks for are all that it takes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pgpassd-component-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const small = readFileSync(join(workloads, 'deployment.yaml'), 'utf8');
    const withoutUser = small.replace(/ +securityContext:\n +runAsUser: 1000\n/, '');
    writeFileSync(join(folder, 'my-app.yaml'), withoutUser.replace('name: small', 'name: my-app'));
    const component = join(manifestsFolder, 'components/pgpassd');
    const asked = [...readFileSync(join(component, 'kustomization.yaml'), 'utf8').matchAll(COMMENT)]
      .map(([, line = '']) => line)
      .join('\n')
      .replace('../pgpassd/manifests/components/pgpassd', relative(folder, component));
    writeFileSync(join(folder, 'kustomization.yaml'), `resources: [my-app.yaml]\n${asked}\n`);

    const manifests = parseManifests(await renderText(folder));
    expect(manifests).toEqual([
      expect.objectContaining({ kind: 'ConfigMap', data: { PGPASSD_ENTRIES: expect.any(String) } }),
      expect.objectContaining({ kind: 'Deployment' }),
    ]);
    const [settings, deployment] = manifests;
    expect(deployment?.['spec']).toMatchObject({
      template: {
        spec: {
          securityContext: { runAsUser: 1000 },
          initContainers: [
            {
              image: expect.stringMatching(/^myregistry\.azurecr\.io\/pgpassd:/),
              envFrom: [{ configMapRef: { name: settings?.metadata.name } }],
            },
          ],
        },
      },
    });
  });
});
