import { describe, expect, test } from 'vitest';
import { LONGEST_NAP_MS } from '../../src/refresh/schedule.ts';
import { requestsBetween } from './fleet.ts';
import {
  DAY_MINUTES,
  expectBusiestShare,
  expectNoUnison,
  FEW,
  FLEET,
  type NamedScenario,
  SAMPLE,
  type Scenario,
  SETTLED,
  SETTLED_ON_DAYS,
  SETTLED_ON_ENTRA,
  SETTLED_ON_MINUTES,
  STARTED_TOGETHER,
  simulate,
  timeout,
} from './fleet-scenario.ts';

describe('while tokens are valid, at most 3 % of a fleet ask Entra in one second:', {
  timeout,
}, () => {
  // 40 % of 75 minutes are 30, 45 % are 33.75; 40 % of the shortest life of SETTLED_ON_ENTRA are 24.
  const scenarios: NamedScenario[] = [
    {
      name: 'two refreshes after a common start',
      pods: FLEET,
      fleet: STARTED_TOGETHER,
      judgedMinutes: [1, 80],
    },
    {
      name: 'two refreshes after a common start, with the lives that Entra issues',
      pods: FEW,
      fleet: { ...SETTLED_ON_ENTRA, startsAtMinute: () => 0 },
      judgedMinutes: [1, 100],
    },
    {
      name: 'two refreshes after a common start, with tokens of a day',
      pods: FEW,
      fleet: { ...SETTLED_ON_DAYS, startsAtMinute: () => 0 },
      judgedMinutes: [1, 1.1 * DAY_MINUTES],
    },
    {
      name: 'a restart of all',
      pods: SAMPLE,
      fleet: SETTLED,
      incidents: [[75, (pod) => pod.restart()]],
      judgedMinutes: [75, 117],
    },
    {
      name: 'a restart of all, and again a minute and two minutes later',
      pods: FEW,
      fleet: SETTLED_ON_ENTRA,
      incidents: [
        [90, (pod) => pod.restart()],
        [91, (pod) => pod.restart(10)],
        [92, (pod) => pod.restart()],
      ],
      judgedMinutes: [90, 140],
    },
    {
      name: 'a restart of all in the middle of the first refresh after a common start',
      pods: FEW,
      fleet: STARTED_TOGETHER,
      incidents: [[35.6, (pod) => pod.restart()]],
      judgedMinutes: [1, 80],
    },
    {
      name: 'a restart of all with tokens of a day in the middle of their first refresh',
      pods: FEW,
      fleet: { ...SETTLED_ON_DAYS, startsAtMinute: () => 0 },
      incidents: [[0.475 * DAY_MINUTES, (pod) => pod.restart()]],
      judgedMinutes: [1, 1.1 * DAY_MINUTES],
    },
    {
      name: 'a changed issuer that all notice at once',
      pods: FLEET,
      fleet: SETTLED,
      incidents: [[75, (pod) => pod.notice('ofAnotherIssuer')]],
      reaches: { rotating: 0.9 },
      judgedMinutes: [75, 117],
    },
    {
      name: 'a changed issuer that all notice at once, with tokens of a day',
      pods: FEW,
      fleet: SETTLED_ON_DAYS,
      incidents: [[DAY_MINUTES, (pod) => pod.notice('ofAnotherIssuer')]],
      reaches: { rotating: 0.9 },
      judgedMinutes: [DAY_MINUTES, 1.55 * DAY_MINUTES],
    },
  ];

  test.each(scenarios)('$name', expectNoUnison);
});

describe('without valid tokens there is no time to wait for, but', { timeout }, () => {
  test.each([
    { when: 'in the same second', withinSeconds: 0, atMost: 1 },
    { when: 'within 10 s', withinSeconds: 10, atMost: 0.11 },
  ])(
    'pods that are all replaced $when ask once each, and part by their next refresh',
    async (row) => {
      const scenario: Scenario = {
        pods: FEW,
        fleet: SETTLED,
        incidents: [[75, (pod) => pod.replace(row.withinSeconds)]],
        judgedMinutes: [75, 117],
      };
      const record = await simulate(scenario);
      expectBusiestShare(row.atMost, scenario, record);
      expect(requestsBetween(record, 75, 76)).toBe(FEW);
      expectBusiestShare(0.03, scenario, record, [76, 117]);
      expect(record.podsFailing).toBe(0);
    },
  );

  // A minute between tries at most, half of it on average: 3.3 % a second while Entra is down.
  test('a fleet whose tokens expired in an outage asks no more often when it ends', async () => {
    const scenario: Scenario = {
      pods: SAMPLE,
      fleet: SETTLED_ON_MINUTES,
      outage: [15, 33],
      judgedMinutes: [31, 45],
    };
    const record = await simulate(scenario);
    expect(record.podsFailingInOutage).toBe(SAMPLE);
    expectBusiestShare(0.04, scenario, record);
    expectBusiestShare(0.03, scenario, record, [34.1, 45]);
    expect(record.podsFailing).toBe(0);
  });

  test('a fleet that is restarted in such an outage has parted five minutes later', async () => {
    const scenario: Scenario = {
      pods: SAMPLE,
      fleet: SETTLED_ON_MINUTES,
      outage: [15, 39],
      incidents: [[33, (pod) => pod.restart()]],
      judgedMinutes: [33, 50],
    };
    const record = await simulate(scenario);
    expectBusiestShare(1, scenario, record);
    expectBusiestShare(0.04, scenario, record, [38, 50]);
    expect(record.podsFailing).toBe(0);
  });
});

describe('an event that reaches all pods at once', { timeout }, () => {
  test('causes no exchange when it is a changed template or a rotation of the same identity', async () => {
    const scenario: Scenario = {
      pods: FEW,
      fleet: SETTLED,
      incidents: [
        [75, (pod) => pod.changeTemplate()],
        [76, (pod) => pod.notice('rotated')],
        [77, (pod) => pod.changeTemplate()],
      ],
      judgedMinutes: [75, 117],
    };
    const record = await simulate(scenario);
    expect(record.refreshes).toMatchObject({ template: 0, rotation: 0, request: 0 });
    expectBusiestShare(0.03, scenario, record);
    expect(record.podsWithoutToken).toBe(0);
  });

  test('causes no exchange when it is a changed template in an outage of 40 % of a life', async () => {
    const scenario: Scenario = {
      pods: FEW,
      fleet: SETTLED,
      outage: [75, 105],
      incidents: [[95, (pod) => pod.changeTemplate()]],
      judgedMinutes: [75, 147],
    };
    const record = await simulate(scenario);
    expect(record.podsFailingInOutage).toBeGreaterThan(0.7 * FEW);
    expect(record.refreshes.template).toBe(0);
    expectBusiestShare(0.03, scenario, record);
    expect(record.podsWithoutToken).toBe(0);
  });

  test('costs one exchange each when it is SIGHUP, and pods part by their next refresh', async () => {
    const scenario: Scenario = {
      pods: FEW,
      fleet: SETTLED,
      incidents: [[75, (pod) => pod.hangUp()]],
      judgedMinutes: [75, 117],
    };
    const record = await simulate(scenario);
    expect(record.refreshes.request).toBe(FEW);
    expectBusiestShare(1.01, scenario, record);
    expectBusiestShare(0.03, scenario, record, [76, 117]);
    expect(record.podsWithoutToken).toBe(0);
  });

  // What a pod believes to have expired is asked for at once; what it knows to be good is not.
  test.each([
    {
      step: 'a day forward and back again',
      steps: [
        [2, 24],
        [4, -24],
      ],
      requests: FEW,
    },
    { step: 'a day back', steps: [[2, -24]], requests: 0 },
    {
      step: 'from a day behind to the right time',
      steps: [
        [0, -24],
        [2, 24],
      ],
      requests: FEW,
    },
  ])('costs one exchange at most when it is a step of the wall clock $step', async (row) => {
    const scenario: Scenario = {
      pods: FEW,
      fleet: { startsAtMinute: (random) => random(), lifeMinutes: () => 75 },
      incidents: row.steps.map(([minute = 0, hours = 0]) => [
        minute,
        (pod) => pod.stepWallClock(hours),
      ]),
      judgedMinutes: [2, 6],
    };
    const record = await simulate(scenario, LONGEST_NAP_MS);
    expect(requestsBetween(record, 2, 6)).toBe(row.requests);
    expectBusiestShare(1, scenario, record);
    expect(record.podsWithoutToken).toBe(0);
  });
});
