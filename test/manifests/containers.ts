import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Container } from 'kubernetes-1.36/dist/gen/models/V1Container.js';
import type { V1MutatingAdmissionPolicy } from 'kubernetes-1.36/dist/gen/models/V1MutatingAdmissionPolicy.js';
import type { V1PodSpec } from 'kubernetes-1.36/dist/gen/models/V1PodSpec.js';
import { type Manifest, manifestsFolder, parseManifests } from './kubectl.ts';
import { mutate } from './policy/policy.ts';

export interface Where {
  /** The file that has it, and the container's name. */
  readonly name: string;
  readonly container: V1Container;
  readonly pod: V1PodSpec;
}

interface Template {
  readonly spec: V1PodSpec;
}

/** What has a pod, in the one place or the other. */
interface Workload {
  readonly spec: {
    readonly template?: Template;
    readonly jobTemplate?: { readonly spec: { readonly template: Template } };
  };
}

const files = [
  'sidecar/deployment.yaml',
  'cronjob/short-job.yaml',
  'cronjob/long-job.yaml',
  'before-1.29/deployment.yaml',
  'components/pgpassd/sidecar/pod-template.yaml',
  'components/pgpassd/sidecar/cronjob.yaml',
];

/** Every pgpassd that the manifests describe, those that the policy adds to pods included. */
export function everyPgpassd(): readonly Where[] {
  const written = files.map(
    (file) => [file, podOf(readFirst(join(manifestsFolder, file)))] as const,
  );
  return [...written, ...injected()].flatMap(([file, pod]) =>
    [...(pod.initContainers ?? []), ...(pod.containers ?? [])]
      .filter(({ name }) => name.startsWith('pgpassd'))
      .map((container) => ({ name: `${container.name} in ${file}`, container, pod })),
  );
}

function injected(): (readonly [string, V1PodSpec])[] {
  const path = 'inject/policy.yaml';
  const policy = readFirst(join(manifestsFolder, path)) as unknown as V1MutatingAdmissionPolicy;
  return ['bare', 'once'].map((pod) => {
    const before = readFirst(join(import.meta.dirname, 'pods', `${pod}.yaml`));
    return [`${path}, for the pod ${pod}`, mutate(policy, before)['spec'] as V1PodSpec];
  });
}

function podOf(manifest: Manifest): V1PodSpec {
  const { spec } = manifest as unknown as Workload;
  const template = spec.template ?? spec.jobTemplate?.spec.template;
  if (template === undefined) throw new Error(`${manifest.kind} has no pod template`);
  return template.spec;
}

function readFirst(path: string): Manifest {
  const [first] = parseManifests(readFileSync(path, 'utf8'));
  if (first === undefined) throw new Error(`${path} is empty`);
  return first;
}
