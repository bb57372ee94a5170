import { setTimeout } from 'node:timers/promises';
import type { V1Pod } from 'kubernetes-1.36/dist/gen/models/V1Pod.js';
import type { Kubectl } from '../kubectl.ts';
import { assertNeverFailed, connectThroughRotations, waitUntilReady } from './connecting.ts';
import type { Play, Stage } from './scenario.ts';

/** Since 1.36. */
export async function hasPolicies(kubectl: Kubectl): Promise<boolean> {
  const group = '--api-group=admissionregistration.k8s.io';
  const { stdout } = await kubectl.run(['api-resources', group, '--no-headers']);
  return /^mutatingadmissionpolicies\s.*\badmissionregistration\.k8s\.io\/v1\s/m.test(stdout);
}

/** Pods with one label, and the policies make of them what the component makes of manifests. */
export const inject: Play = async (stage) => {
  await stage.apply('inject');
  await untilInForce(stage);
  const refusals = await assertRefused(stage);
  await stage.apply('injected');
  const pod = await waitUntilReady(stage, 'app=injected');
  const connects = await connectThroughRotations(stage, 'injected');
  await assertNeverFailed(stage, pod);
  await stage.kubectl.run([
    'wait',
    '--for=condition=Complete',
    'job/injected-once',
    '--timeout=60s',
  ]);
  return `${connects}; the job with "once" completed; ${refusals}`;
};

const settle = { everyMs: 500, tries: 60 } as const;

/** The API server takes policies up in its own time, and nothing but a pod tells when. */
async function untilInForce(stage: Stage): Promise<void> {
  let refusal = '';
  for (let tries = 0; tries < settle.tries; tries += 1) {
    const { stdout, stderr } = await tryPod(stage.kubectl, { pgpassd: 'sidecar' }, 1000, [0, 1]);
    refusal = stderr;
    const pod = stdout === '' ? undefined : (JSON.parse(stdout) as V1Pod);
    const injected = pod?.spec?.initContainers?.[0];
    if (injected?.env?.some(({ name }) => name === 'AZURE_CLIENT_ID')) return;
    await setTimeout(settle.everyMs);
  }
  throw new Error(`the policies do not inject into a pod with the label: ${refusal}`);
}

async function assertRefused({ kubectl }: Stage): Promise<string> {
  const misspelt = await tryPod(kubectl, { pgpassd: 'sidekick' }, 1000, [1]);
  const noUser = await tryPod(kubectl, { pgpassd: 'sidecar' }, undefined, [1]);
  for (const { stderr } of [misspelt, noUser]) {
    if (!stderr.includes('pgpassd-e2e')) throw new Error(`refused by something else: ${stderr}`);
  }
  return 'a misspelt label and a pod without a user id were refused';
}

function tryPod(
  kubectl: Kubectl,
  labels: Readonly<Record<string, string>>,
  runAsUser: number | undefined,
  expected: readonly number[],
) {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'tried', labels },
    spec: {
      ...(runAsUser !== undefined && { securityContext: { runAsUser } }),
      containers: [{ name: 'app', image: 'any' }],
      volumes: [{ name: 'azure-ca', configMap: { name: 'azure-ca' } }],
    },
  };
  return kubectl.run(['create', '--dry-run=server', '--output=json', '--filename=-'], {
    input: JSON.stringify(pod),
    expected,
  });
}
