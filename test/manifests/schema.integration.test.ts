import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasKubectl, type Manifest, manifestsFolder, parseManifests, render } from './kubectl.ts';
import { type Case, findProblems, releases } from './schema.ts';

const packages = new URL('../../node_modules/', import.meta.url);

const pod = `
apiVersion: v1
kind: Pod
metadata:
  name: app
spec:
  containers:
    - name: app
      image: registry.example.com/app:1.0
      livenessProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 10
`;

const broken: readonly [what: string, from: string, to: string, told: RegExp][] = [
  ['a misspelt field', 'periodSeconds', 'periodSecond', /periodSecond/],
  ['a field in the wrong place', 'spec:', 'spec:\n  image: none', /image.*does not exist/],
  ['a text where a number belongs', 'periodSeconds: 10', 'periodSeconds: "10"', /string.*number/s],
  ['a missing field', 'path: /livez, port: http', 'path: /livez', /port/],
  ['an unknown kind', 'kind: Pod', 'kind: Pot', /v1 Pot/],
  ['a kind of another group', 'apiVersion: v1', 'apiVersion: apps/v1', /apps\/v1 Pod/],
];

describe.each(releases)('Kubernetes %s', (release) => {
  test('takes a small pod', () => {
    expect(findProblems(parseManifests(pod).map((manifest) => ({ release, manifest })))).toEqual([
      [],
    ]);
  });

  test.each(broken)('refuses %s', (_, from, to, told) => {
    expect(pod).toContain(from);
    const cases = parseManifests(pod.replace(from, to)).map((manifest) => ({ release, manifest }));
    expect(findProblems(cases)).toEqual([[expect.stringMatching(told)]]);
  });
});

test('a field that is said twice is refused', () => {
  expect(() => parseManifests(pod.replace('kind: Pod', 'kind: Pod\nkind: Pod'))).toThrow(/unique/);
});

/** Where each package says which release its types were generated from. */
test.each([
  ['1.29', 'kubernetes-types/package.json', '"version": "1.29.0"'],
  ['1.33', 'kubernetes-1.33/dist/gen/models/V1Pod.d.ts', 'OpenAPI spec version: v1.33.0'],
  ['1.36', 'kubernetes-1.36/dist/gen/models/V1Pod.d.ts', 'OpenAPI spec version: release-1.36'],
])('the types of Kubernetes %s are of that release', (_, file, words) => {
  expect(readFileSync(new URL(file, packages), 'utf8')).toContain(words);
});

const folders: Readonly<Record<string, string>> = {
  sidecar: join(manifestsFolder, 'sidecar'),
  cronjob: join(manifestsFolder, 'cronjob'),
  'before-1.29': join(manifestsFolder, 'before-1.29'),
  inject: join(manifestsFolder, 'inject'),
  'components/pgpassd, applied to workloads': join(import.meta.dirname, 'workloads'),
};

const supported = Object.keys(folders).flatMap((name) =>
  releases
    .filter((release) => name !== 'inject' || release === '1.36')
    .map((release) => ({ name, release })),
);

describe.skipIf(!hasKubectl)('what is rendered', () => {
  test.each(supported)('$name is valid in Kubernetes $release', async ({ name, release }) => {
    const manifests: readonly Manifest[] = await render(folders[name] ?? '');
    const cases = manifests.map((manifest): Case => ({ release, manifest }));
    expect(cases.length).toBeGreaterThan(1);
    expect(findProblems(cases)).toEqual(cases.map(() => []));
  });
});
