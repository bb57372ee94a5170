import type { V1MutatingAdmissionPolicy } from 'kubernetes-1.36/dist/gen/models/V1MutatingAdmissionPolicy.js';
import type { V1ValidatingAdmissionPolicy } from 'kubernetes-1.36/dist/gen/models/V1ValidatingAdmissionPolicy.js';
import { applyPatch, type Operation } from 'rfc6902';
import type { Manifest } from '../kubectl.ts';
import { compile, type Json } from './cel.ts';
import { merge } from './merge.ts';

type Spec =
  | NonNullable<V1MutatingAdmissionPolicy['spec']>
  | NonNullable<V1ValidatingAdmissionPolicy['spec']>;

/** The new pod as a MutatingAdmissionPolicy makes it. */
export function mutate(policy: V1MutatingAdmissionPolicy, pod: Manifest): Manifest {
  const spec = policy.spec;
  if (spec === undefined || !matches(spec, pod)) return pod;
  const variables = variablesOf(spec, pod);
  let object = pod as unknown as Json;
  for (const { jsonPatch, applyConfiguration } of spec.mutations ?? []) {
    if (jsonPatch?.expression !== undefined) {
      object = patched(object, compile(jsonPatch.expression)({ object, variables }));
    }
    if (applyConfiguration?.expression !== undefined) {
      object = merge(object, compile(applyConfiguration.expression)({ object, variables }));
    }
  }
  return object as unknown as Manifest;
}

/** What a ValidatingAdmissionPolicy has against a new pod. */
export function refusals(policy: V1ValidatingAdmissionPolicy, pod: Manifest): readonly string[] {
  const spec = policy.spec;
  if (spec === undefined || !matches(spec, pod)) return [];
  const input = { object: pod as unknown as Json, variables: variablesOf(spec, pod) };
  return (spec.validations ?? [])
    .filter(({ expression }) => compile(expression)(input) !== true)
    .map(({ message, expression }) => message ?? expression);
}

/** Every expression of a policy. */
export function expressionsOf(spec: Spec): readonly string[] {
  const others =
    'mutations' in spec
      ? (spec.mutations ?? []).map((each) => each.jsonPatch ?? each.applyConfiguration)
      : 'validations' in spec
        ? (spec.validations ?? [])
        : [];
  return [...(spec.matchConditions ?? []), ...(spec.variables ?? []), ...others].map(
    (each) => each?.expression ?? '',
  );
}

/** Whether the policy is about new pods with these labels, and wants this one. */
function matches({ matchConstraints, matchConditions }: Spec, pod: Manifest): boolean {
  const about = matchConstraints?.resourceRules?.some(
    ({ apiGroups, resources, operations }) =>
      apiGroups?.includes('') && resources?.includes('pods') && operations?.includes('CREATE'),
  );
  const { labels = {} } = pod.metadata as { labels?: Readonly<Record<string, string>> };
  const selected = matchConstraints?.objectSelector?.matchExpressions?.every(
    ({ key, operator, values }) =>
      operator === 'Exists' ? key in labels : values?.includes(labels[key] ?? '') === true,
  );
  return (
    about === true &&
    selected === true &&
    (matchConditions ?? []).every(
      ({ expression }) => compile(expression)({ object: pod as unknown as Json }) === true,
    )
  );
}

/** Each may use those before it. */
function variablesOf({ variables }: Spec, pod: Manifest): Readonly<Record<string, Json>> {
  const values: Record<string, Json> = {};
  for (const { name, expression } of variables ?? []) {
    values[name] = compile(expression)({ object: pod as unknown as Json, variables: values });
  }
  return values;
}

function patched(object: Json, result: Json): Json {
  const operations = result as unknown as readonly Operation[];
  const unfit = operations.find((each) => 'value' in each && isListOfObjects(each.value));
  if (unfit) throw new Error(`Kubernetes 1.36 panics at a list of objects at ${unfit.path}`);
  const copy = structuredClone(object);
  const failures = applyPatch(copy, [...operations]).filter(Boolean);
  if (failures.length > 0) throw new Error(`the JSON patch fails: ${failures.join('; ')}`);
  return copy;
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.some((each) => typeof each === 'object');
}
