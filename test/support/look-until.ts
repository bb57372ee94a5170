import { setTimeout } from 'node:timers/promises';

/** Between two looks, since looking all the time would keep a core from the process that is watched. */
export const pause = (): Promise<void> => setTimeout(5);

/** Resolves once `condition` holds: for what no event reports. */
export async function lookUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause();
}
