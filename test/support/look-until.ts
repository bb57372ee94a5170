import { setTimeout } from 'node:timers/promises';

/** Looking all the time would keep a core from the process that is watched. */
const BETWEEN_LOOKS_MS = 5;

/** Resolves once `condition` holds: for what no event reports. */
export async function lookUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(BETWEEN_LOOKS_MS);
}
