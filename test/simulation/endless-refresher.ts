import { getEventListeners } from 'node:events';
import { createEventLogger } from '../../src/observe/event-logger.ts';
import { HOUR_MS, unreachable, World } from './world.ts';

/** What a process is left with, its garbage collected, at one moment of a long run. */
export interface Footprint {
  readonly heapBytes: number;
  /** Listeners on the signal that stops the run. */
  readonly listeners: number;
}

export interface Report {
  readonly early: Footprint;
  readonly late: Footprint;
  /** By Node itself, such as of too many listeners. */
  readonly warnings: readonly string[];
}

const FAR_TOO_MANY = 100;

/** Refreshes as often as told, all failing or none, and reports to its parent. */
const [course, early, late] = process.argv.slice(2);

const warnings: string[] = [];
process.on('warning', ({ name, message }) => void warnings.push(`${name}: ${message}`));

let told = 0;
const world = new World({ lifetimeSeconds: () => 60, forgetful: true, onEvent: tell });
const logEvent = createEventLogger(world.clock, () => undefined);
function tell(event: Parameters<typeof logEvent>[0]): void {
  const wanted = course === 'failing' ? 'refresh.failed' : 'token.refreshed';
  if (event.type === wanted) told += 1;
  logEvent(event);
}

if (course === 'failing') world.outage = unreachable();
world.start();
const report = {
  early: await footprintAfter(Number(early)),
  late: await footprintAfter(Number(late)),
};
await world.stop();
process.send?.({ ...report, warnings } satisfies Report);

function listeners(): number {
  return getEventListeners(world.signal, 'abort').length;
}

async function footprintAfter(refreshes: number): Promise<Footprint> {
  // Many listeners make each further one slow: what leaks is to be told, not waited for.
  while (told < refreshes && listeners() < FAR_TOO_MANY) await world.clock.advance(HOUR_MS);
  globalThis.gc?.();
  return {
    heapBytes: process.memoryUsage().heapUsed,
    listeners: listeners(),
  };
}
