import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
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

interface Rendered extends Case {
  readonly name: string;
}

const yamls = [pod, ...broken.map(([, from, to]) => pod.replace(from, to))];
const written = releases.flatMap((release) =>
  yamls.flatMap(parseManifests).map((manifest): Case => ({ release, manifest })),
);
const rendered: Rendered[] = [];
/** Of what is written here, then of what is rendered. */
let problems: ReturnType<typeof findProblems> = [];

/** Rendered once, and all compiled in one run, as the compiler takes longest to read the types. */
beforeAll(async () => {
  for (const [name, folder] of Object.entries(hasKubectl ? folders : {})) {
    const manifests: readonly Manifest[] = await render(folder);
    for (const { release } of supported.filter((each) => each.name === name)) {
      rendered.push(...manifests.map((manifest) => ({ name, release, manifest })));
    }
  }
  problems = findProblems([...written, ...rendered]);
});

describe('the compiler', () => {
  describe.each(releases)('for Kubernetes %s', (release) => {
    const told = () => problems.filter((_, index) => written[index]?.release === release);

    test('takes a small pod', () => {
      expect(told()[0]).toEqual([]);
    });

    test.each(broken.map((row, index) => [...row, index] as const))(
      'refuses %s',
      (_what, from, _to, words, index) => {
        expect(pod).toContain(from);
        expect(told()[index + 1]).toEqual([expect.stringMatching(words)]);
      },
    );
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

describe.skipIf(!hasKubectl)('what is rendered', () => {
  test.each(supported)('$name is valid in Kubernetes $release', ({ name, release }) => {
    const told = problems.slice(written.length).filter((_, index) => {
      const its = rendered[index];
      return its?.name === name && its.release === release;
    });
    expect(told.length).toBeGreaterThan(1);
    expect(told).toEqual(told.map(() => []));
  });
});
