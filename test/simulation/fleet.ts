import type { RefreshCause } from '../../src/refresh/events.ts';
import { seededRandom } from '../support/random.ts';
import { Pod } from './pod.ts';

type Random = () => number;

/** What a fleet goes through, in minutes since the simulation began. */
export interface FleetPlan {
  readonly pods: number;
  readonly seed: number;
  /** When the next pod starts for the first time. */
  readonly startsAtMinute: (random: Random) => number;
  /** The life of the next token. */
  readonly lifeMinutes: (random: Random) => number;
  /** What happens to every pod at once, in order of time. */
  readonly incidents?: readonly Incident[];
  /** While Entra cannot be reached: from, until. */
  readonly outage?: readonly [number, number];
  readonly endsAtMinute: number;
  /** How long a pod sleeps at most without a look at its clock; for ever by default. */
  readonly longestNapMs?: number;
}

/** When, and what. */
type Incident = readonly [minute: number, happens: (pod: Pod) => void];

/** What Entra and the clients saw of the whole fleet. */
export interface FleetRecord {
  /** Requests to Entra, by second since the simulation began. */
  readonly requestsInSecond: Uint32Array;
  /** Refreshes that the pods began, by cause. */
  readonly refreshes: Record<RefreshCause, number>;
  /** Pods whose passfile ever held an expired token. */
  podsWithoutToken: number;
  /** Pods whose last attempt had failed when the outage ended. */
  podsFailingInOutage: number;
  /** Pods whose last attempt had failed when the simulation ended. */
  podsFailing: number;
}

/**
 * Lives through a plan with the real Refresher in every pod. Pods meet only at Entra, which counts
 * their requests, so each lives its whole life before the next one begins.
 */
export async function simulateFleet(plan: FleetPlan): Promise<FleetRecord> {
  const record: FleetRecord = {
    requestsInSecond: new Uint32Array(Math.ceil(plan.endsAtMinute * 60) + 1),
    refreshes: { due: 0, rotation: 0, request: 0, template: 0 },
    podsWithoutToken: 0,
    podsFailingInOutage: 0,
    podsFailing: 0,
  };
  const random = seededRandom(plan.seed);
  const { stackTraceLimit } = Error;
  // Naps are aborted by the hundred thousand: stack traces would take a third of the time.
  Error.stackTraceLimit = 0;
  try {
    for (let number = 0; number < plan.pods; number += 1) {
      await new Pod(plan, random, record).live();
      // Promises alone would never let the test runner's own timers fire.
      if (number % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return record;
}

/** The second with the most requests, and their number. */
export function busiestSecond(
  { requestsInSecond }: FleetRecord,
  fromMinute: number,
  untilMinute = Infinity,
): { second: number; requests: number } {
  let busiest = { second: fromMinute * 60, requests: 0 };
  for (const [second, requests] of requestsInSecond.entries()) {
    if (second < fromMinute * 60 || second >= untilMinute * 60) continue;
    if (requests > busiest.requests) busiest = { second, requests };
  }
  return busiest;
}

export function requestsBetween(
  { requestsInSecond }: FleetRecord,
  fromMinute: number,
  untilMinute: number,
): number {
  const counted = requestsInSecond.subarray(fromMinute * 60, untilMinute * 60);
  return counted.reduce((sum, requests) => sum + requests, 0);
}
