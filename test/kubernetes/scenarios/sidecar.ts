import { tallyLogins } from '../observations.ts';
import { watchUntil } from '../watching.ts';
import { assertNeverFailed, connectThroughRotations, waitUntilReady } from './connecting.ts';
import { isReady, nameOf, type Pod, statusOf, waitForPod } from './pods.ts';
import type { Play, Stage } from './scenario.ts';

const selector = 'app=my-app';

/** pgpassd and a client of this kind are stopped in a second each; the rest is the node's. */
const DELETION_MS = 15_000;

/** Then its sidecar is restarted under the client, and at last the pod is deleted. */
export const sidecar: Play = async (stage) => {
  await stage.apply('sidecar');
  const pod = await waitUntilReady(stage, selector);
  const gate = assertGated(pod);
  const connects = await connectThroughRotations(stage, 'sidecar');
  await check(stage, pod);
  const restart = await restartSidecar(stage, pod);
  await assertNeverFailed(stage, pod);
  const deletion = await deletePod(stage, pod);
  return [gate, connects, 'check finds nothing', restart, deletion].join('; ');
};

function assertGated(pod: Pod): string {
  const started = startedAtMs(statusOf(pod, 'app').state?.running?.startedAt);
  const { started: passed, state } = statusOf(pod, 'pgpassd');
  if (passed !== true) throw new Error('the app runs, and the startup probe has not passed');
  return `the app started ${(started - startedAtMs(state?.running?.startedAt)) / 1000} s after pgpassd`;
}

function startedAtMs(time: Date | undefined): number {
  if (time === undefined) throw new Error('a container that is ready does not run');
  return new Date(time).getTime();
}

async function check({ kubectl }: Stage, pod: Pod): Promise<void> {
  await kubectl.run(['exec', nameOf(pod), '--container=pgpassd', '--', 'pgpassd', 'check']);
}

/** Kubelet starts another one, as it would after a crash. */
async function restartSidecar({ kubectl, observations }: Stage, pod: Pod): Promise<string> {
  const stop = ['/nodejs/bin/node', '--eval', "process.kill(1, 'SIGTERM')"];
  await kubectl.run(['exec', nameOf(pod), '--container=pgpassd', '--', ...stop]);
  await waitForPod(kubectl, selector, 'a restarted sidecar', (each) => {
    const { restartCount, ready } = statusOf(each, 'pgpassd');
    return restartCount === 1 && ready && isReady(each);
  });
  const before = tallyLogins(observations.all, 'sidecar');
  const after = await observations.until(
    (all) => {
      const logins = tallyLogins(all, 'sidecar');
      return logins.tokens > before.tokens ? logins : undefined;
    },
    'a new token from the restarted sidecar',
    60_000,
  );
  return `restarted, and ${after.count - before.count} connects later with the next token`;
}

async function deletePod({ kubectl }: Stage, pod: Pod): Promise<string> {
  const name = nameOf(pod);
  let last = pod;
  const watched = Promise.withResolvers<void>();
  const ended = watchUntil<Pod, true>(
    kubectl,
    ['pods', `--field-selector=metadata.name=${name}`],
    ({ type, object }) => {
      watched.resolve();
      if (type === 'DELETED') return true;
      last = object;
      return undefined;
    },
    { what: `the end of ${name}`, timeoutMs: 60_000 },
  );
  // An end that comes before the watch is seen by nobody.
  await Promise.race([watched.promise, ended]);
  const askedMs = Date.now();
  await Promise.all([ended, kubectl.run(['delete', 'pod', name, '--wait=false'])]);
  const tookMs = Date.now() - askedMs;
  if (tookMs > DELETION_MS) throw new Error(`the deletion of the pod took ${tookMs} ms`);
  const exitCode = statusOf(last, 'pgpassd').state?.terminated?.exitCode;
  if (exitCode !== 0) throw new Error(`the deleted pod's pgpassd ended with ${exitCode}`);
  return `deleted in ${(tookMs / 1000).toFixed(1)} s, pgpassd with exit code 0`;
}
