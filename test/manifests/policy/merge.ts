import type { Json } from './cel.ts';

/** By what the elements of a pod's lists are told apart; all other lists are one value each. */
const keysOfLists: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
};

type Fields = Readonly<Record<string, Json>>;

/**
 * A pod with an ApplyConfiguration merged in, as server-side apply does: maps by their keys, lists by
 * those of their elements. What was there keeps its place, what is new comes last.
 *
 * @throws for a list that would be replaced whole, which Kubernetes refuses
 */
export function merge(current: Json | undefined, applied: Json, field = ''): Json {
  if (Array.isArray(applied)) return mergeLists(current, applied, field);
  if (!isFields(applied)) return applied;
  const merged = { ...(isFields(current) ? current : {}) };
  for (const [key, value] of Object.entries(applied)) merged[key] = merge(merged[key], value, key);
  return merged;
}

function mergeLists(current: Json | undefined, applied: readonly Json[], field: string): Json {
  const key = keysOfLists[field];
  if (key === undefined) throw new Error(`may not mutate atomic arrays: ${field}`);
  const merged = Array.isArray(current) ? [...current] : [];
  for (const element of applied) {
    const index = merged.findIndex((each) => keyOf(each, key) === keyOf(element, key));
    if (index === -1) merged.push(element);
    else merged[index] = merge(merged[index], element);
  }
  return merged;
}

function keyOf(element: Json, key: string): Json | undefined {
  return isFields(element) ? element[key] : undefined;
}

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
