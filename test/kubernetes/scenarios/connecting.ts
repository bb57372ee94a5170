import { tallyLogins } from '../observations.ts';
import { isReady, nameOf, type Pod, readPod, statusOf, waitForPod } from './pods.ts';
import type { Stage } from './scenario.ts';

/** Of the rotations a run has to see; each is the end of one token and the start of another. */
const ROTATIONS = 5;

/** Some 10 s each, and the time that a node takes to start a pod. */
const PATIENCE_MS = 300_000;

/** Waits until the clients of a database came with so many tokens, all of them let in. */
export async function connectThroughRotations(
  { observations }: Stage,
  database: string,
  rotations = ROTATIONS,
): Promise<string> {
  const { count, tokens } = await observations.until(
    (all) => {
      const logins = tallyLogins(all, database);
      return logins.tokens > rotations ? logins : undefined;
    },
    `${rotations} rotations in front of ${database}`,
    PATIENCE_MS,
  );
  return `${count} connects with ${tokens} tokens, none refused`;
}

export async function waitUntilReady({ kubectl }: Stage, selector: string): Promise<Pod> {
  return waitForPod(kubectl, selector, `a ready pod of ${selector}`, isReady);
}

/** The client ends at the first connect that fails, so one that never ended had none. */
export async function assertNeverFailed({ kubectl }: Stage, pod: Pod): Promise<void> {
  const { restartCount } = statusOf(await readPod(kubectl, nameOf(pod)), 'app');
  if (restartCount === 0) return;
  const log = await kubectl.run(['logs', nameOf(pod), '--container=app', '--previous']);
  throw new Error(`the client of ${nameOf(pod)} failed to connect: ${log.stdout}`);
}
