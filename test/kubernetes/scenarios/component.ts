import { assertNeverFailed, connectThroughRotations, waitUntilReady } from './connecting.ts';
import type { Play } from './scenario.ts';

/** A StatefulSet whose own init container needs the database, too. */
export const component: Play = async (stage) => {
  await stage.apply('component');
  const pod = await waitUntilReady(stage, 'app=queue');
  const connects = await connectThroughRotations(stage, 'component');
  await assertNeverFailed(stage, pod);
  return connects;
};
