import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1MutatingAdmissionPolicy } from 'kubernetes-1.36/dist/gen/models/V1MutatingAdmissionPolicy.js';
import type { V1ValidatingAdmissionPolicy } from 'kubernetes-1.36/dist/gen/models/V1ValidatingAdmissionPolicy.js';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Manifest, manifestsFolder, parseManifests } from './kubectl.ts';
import { compile } from './policy/cel.ts';
import { expressionsOf, mutate, refusals } from './policy/policy.ts';
import { findProblems } from './schema.ts';

// The evaluator is @bufbuild/cel. It does not check types before it runs, so every branch of the
// policies is run here. Types that exist by their names alone become maps, see policy/cel.ts; JSON
// patches are applied by rfc6902, apply configurations by policy/merge.ts.

const policy = read<V1MutatingAdmissionPolicy>('inject/policy.yaml');
const requirements = read<V1ValidatingAdmissionPolicy>('inject/requirements.yaml');

const unchanged = ['no-label', 'no-labels', 'brings-its-own', 'misspelt'];
const changed = ['bare', 'once', 'full', 'own-settings', 'root'];

function read<Kind>(path: string): Kind {
  return parseManifests(readFileSync(join(manifestsFolder, path), 'utf8'))[0] as Kind;
}

function pod(name: string): Manifest {
  const text = readFileSync(join(import.meta.dirname, 'pods', `${name}.yaml`), 'utf8');
  return parseManifests(text)[0] as Manifest;
}

test.each([policy, requirements])('the expressions of the $kind compile', ({ spec }) => {
  const expressions = spec === undefined ? [] : expressionsOf(spec);
  expect(expressions.length).toBeGreaterThan(1);
  for (const expression of expressions) expect(() => compile(expression)).not.toThrow();
});

test.each(changed)('the pod %s gets pgpassd', async (name) => {
  const golden = join(import.meta.dirname, 'golden/inject', `${name}.yaml`);
  await expect(stringify(mutate(policy, pod(name)))).toMatchFileSnapshot(golden);
});

test('every pod that got pgpassd is valid in Kubernetes 1.36', () => {
  const cases = changed.map((name) => ({
    release: '1.36' as const,
    manifest: mutate(policy, pod(name)),
  }));
  expect(findProblems(cases)).toEqual(cases.map(() => []));
});

test.each(changed)('the pod %s is not changed a second time', (name) => {
  const once = mutate(policy, pod(name));
  expect(mutate(policy, once)).toEqual(once);
});

test.each(unchanged)('the pod %s stays as it is', (name) => {
  expect(mutate(policy, pod(name))).toEqual(pod(name));
});

test.each([
  ['misspelt', /the label pgpassd must be sidecar or once/],
  ['no-user', /set spec\.securityContext\.runAsUser/],
])('the pod %s is refused, and told why', (name, why) => {
  expect(refusals(requirements, mutate(policy, pod(name)))).toEqual([expect.stringMatching(why)]);
});

test.each([...changed, 'brings-its-own', 'no-label', 'no-labels'])(
  'nothing is held against the pod %s',
  (name) => {
    expect(refusals(requirements, mutate(policy, pod(name)))).toEqual([]);
  },
);

const refused: readonly [what: string, mutation: object, why: string][] = [
  [
    'puts an object in the wrong place',
    { applyConfiguration: { expression: "Object{spec: Object.status{nodeName: 'a'}}" } },
    'Object.status stands where Object.spec belongs',
  ],
  [
    'would replace a list whole',
    {
      applyConfiguration: {
        expression:
          "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'app', args: ['a']}]}}",
      },
    },
    'may not mutate atomic arrays: args',
  ],
  [
    'patches a list of objects in, as Kubernetes 1.36 cannot',
    {
      jsonPatch: {
        expression:
          "[JSONPatch{op: 'add', path: '/spec/volumes', value: [Object.spec.volumes{name: 'a'}]}]",
      },
    },
    'panics at a list of objects at /spec/volumes',
  ],
];

test.each(refused)('a policy that %s fails here, too', (_, mutation, why) => {
  const spec = { ...policy.spec, mutations: [mutation] } as V1MutatingAdmissionPolicy['spec'];
  expect(() => mutate({ ...policy, ...(spec && { spec }) }, pod('bare'))).toThrow(why);
});
