import { setTimeout } from 'node:timers/promises';

/** Between two looks at what gives no notice: the process that is looked at needs the processor, too. */
export const pause = (): Promise<void> => setTimeout(5);
