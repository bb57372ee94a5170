import { expect } from 'vitest';
import { busiestSecond, type FleetPlan, type FleetRecord, simulateFleet } from './fleet.ts';

const SEED = 75;
export const FLEET = 100_000;
/** Shows much the same shares at a tenth of the cost. */
export const SAMPLE = 10_000;
/** Enough where the share stays far below its limit: of fewer pods, chance makes the busiest second busier. */
export const FEW = 5_000;

export const DAY_MINUTES = 24 * 60;

/** A fleet takes seconds of a core of its own, and tests share theirs. */
export const timeout = 600_000;

type Fleet = Pick<FleetPlan, 'startsAtMinute' | 'lifeMinutes'>;

/** Tokens of one life are what keeps a fleet together the longest. */
export const STARTED_TOGETHER: Fleet = { startsAtMinute: () => 0, lifeMinutes: () => 75 };
/** Pods of every age at minute 75: what came before the last half of a life would be computed for nothing. */
export const SETTLED: Fleet = {
  startsAtMinute: (random) => 75 - 37.5 * random(),
  lifeMinutes: () => 75,
};
/** Entra issues tokens of 60 to 90 minutes: settled from minute 90 on. */
export const SETTLED_ON_ENTRA: Fleet = {
  startsAtMinute: (random) => 45 * random(),
  lifeMinutes: (random) => 60 + 30 * random(),
};
/** Managed identities get tokens of a day: settled at the end of a day. */
export const SETTLED_ON_DAYS: Fleet = {
  startsAtMinute: (random) => DAY_MINUTES - (DAY_MINUTES / 2) * random(),
  lifeMinutes: () => DAY_MINUTES,
};
/** The least that a tenant's policy allows is ten minutes: settled at minute 15. */
export const SETTLED_ON_MINUTES: Fleet = {
  startsAtMinute: (random) => 15 - 7.5 * random(),
  lifeMinutes: () => 15,
};

export interface Scenario extends Pick<FleetPlan, 'pods' | 'outage' | 'incidents'> {
  readonly fleet: Fleet;
  /** From, until. */
  readonly judgedMinutes: readonly [number, number];
}

export function simulate(scenario: Scenario, longestNapMs?: number): Promise<FleetRecord> {
  const { fleet, judgedMinutes, ...plan } = scenario;
  return simulateFleet({
    ...fleet,
    ...plan,
    seed: SEED,
    endsAtMinute: judgedMinutes[1],
    ...(longestNapMs !== undefined && { longestNapMs }),
  });
}

export function expectBusiestShare(
  atMost: number,
  { pods, judgedMinutes }: Scenario,
  record: FleetRecord,
  [from, until] = judgedMinutes,
): void {
  const { second, requests } = busiestSecond(record, from, until);
  const found = `${((100 * requests) / pods).toFixed(2)} % of the fleet asked in second ${second}`;
  expect(requests / pods, `${found}, seed ${SEED}`).toBeLessThanOrEqual(atMost);
}

export interface NamedScenario extends Scenario {
  readonly name: string;
  /** The share of pods that the outage or the changed issuer reaches, at least. */
  readonly reaches?: { readonly failing?: number; readonly rotating?: number };
}

/** At most 3 % of the fleet ask in one second, and no pod is without a token or still failing at the end. */
export async function expectNoUnison(scenario: NamedScenario): Promise<void> {
  const { pods, reaches: { failing = 0, rotating = 0 } = {} } = scenario;
  const record = await simulate(scenario);
  expectBusiestShare(0.03, scenario, record);
  expect(record.podsFailingInOutage).toBeGreaterThanOrEqual(failing * pods);
  expect(record.refreshes.rotation).toBeGreaterThanOrEqual(rotating * pods);
  expect(record.podsWithoutToken).toBe(0);
  expect(record.podsFailing).toBe(0);
}
