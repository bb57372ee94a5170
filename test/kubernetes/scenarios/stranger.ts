import { refusalsOf } from '../observations.ts';
import { isReady, nameOf, readPod, statusOf, waitForPod } from './pods.ts';
import type { Play } from './scenario.ts';

/** Nobody gave this service account a federated credential. */
export const stranger: Play = async (stage) => {
  const { kubectl, observations } = stage;
  await stage.apply('stranger');
  const pod = await waitForPod(
    kubectl,
    'app=stranger',
    'a running sidecar',
    ({ status }) => status?.initContainerStatuses?.[0]?.state?.running !== undefined,
  );
  const name = nameOf(pod);
  const subject = `system:serviceaccount:${kubectl.namespace}:stranger-my-app`;
  await observations.until(
    (all) => refusalsOf(all, subject).length >= 3 || undefined,
    'three tries of the stranger',
    180_000,
  );
  const { exitCode, stdout } = await kubectl.run(
    ['exec', name, '--container=pgpassd', '--', 'pgpassd', 'check'],
    { expected: [4] },
  );
  if (!stdout.includes('AADSTS700213') || !stdout.includes(subject)) {
    throw new Error(`check does not name the code and the subject: ${stdout}`);
  }
  const now = await readPod(kubectl, name);
  if (isReady(now)) throw new Error('the pod is ready');
  if (statusOf(now, 'app').state?.waiting === undefined) throw new Error('the app was started');
  if (statusOf(now, 'pgpassd').restartCount > 0) throw new Error('the sidecar was restarted');
  return `never ready, the app never started; check ends with ${exitCode} and names AADSTS700213`;
};
