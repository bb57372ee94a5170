import type { V1ContainerStatus } from 'kubernetes-1.36/dist/gen/models/V1ContainerStatus.js';
import type { V1Pod } from 'kubernetes-1.36/dist/gen/models/V1Pod.js';
import type { Kubectl } from '../kubectl.ts';
import { watchUntil } from '../watching.ts';

/** What the API server sends: JSON, so that times are texts. */
export type Pod = V1Pod;

export function nameOf(pod: Pod): string {
  return pod.metadata?.name ?? '';
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

/** @throws when the pod has no such container yet */
export function statusOf(pod: Pod, container: string): V1ContainerStatus {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const status = [...initContainerStatuses, ...containerStatuses].find(
    ({ name }) => name === container,
  );
  if (status === undefined) throw new Error(`${nameOf(pod)} has no status of ${container}`);
  return status;
}

export async function waitForPod(
  kubectl: Kubectl,
  selector: string,
  what: string,
  is: (pod: Pod) => boolean,
  timeoutMs = 180_000,
): Promise<Pod> {
  const look = ({ object }: { object: Pod }) => (is(object) ? object : undefined);
  return watchUntil<Pod, Pod>(kubectl, ['pods', `--selector=${selector}`], look, {
    what,
    timeoutMs,
  });
}

export async function readPod(kubectl: Kubectl, name: string): Promise<Pod> {
  return kubectl.json<Pod>(['get', 'pod', name]);
}
