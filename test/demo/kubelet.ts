import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../support/fake-entra/federated-token.ts';
import type { ProjectedVolume } from '../support/projected-volume.ts';

/** An old token is soon of no use, so that a pgpassd which missed a rotation could not hide it. */
const LIFETIME_SECONDS = 20;
const ROTATION_INTERVAL_MS = 7_000;

export interface Kubelet {
  readonly cluster: Cluster;
  readonly volume: ProjectedVolume;
  readonly onRotation: (expiresAtMs: number) => void;
}

/** Projects a service-account token and replaces it long before it expires. */
export async function projectToken({ cluster, volume, onRotation }: Kubelet): Promise<void> {
  const token = await cluster.issueServiceAccountToken({ lifetimeSeconds: LIFETIME_SECONDS });
  const expiresAtMs = Date.now() + LIFETIME_SECONDS * 1000;
  await volume.write(token);
  onRotation(expiresAtMs);
}

export async function rotateRegularly(kubelet: Kubelet, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(ROTATION_INTERVAL_MS, undefined, { signal }).catch(() => {});
    if (!signal.aborted) await projectToken(kubelet);
  }
}
