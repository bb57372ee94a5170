import { describe, test } from 'vitest';
import {
  expectNoUnison,
  FEW,
  FLEET,
  type NamedScenario,
  SAMPLE,
  SETTLED,
  SETTLED_ON_ENTRA,
  timeout,
} from './fleet-scenario.ts';

describe('while tokens are valid, at most 3 % of a fleet ask Entra in one second around an outage:', {
  timeout,
}, () => {
  // 40 % of 75 minutes are 30, 45 % are 33.75; 40 % of the shortest life of SETTLED_ON_ENTRA are 24.
  const scenarios: NamedScenario[] = [
    {
      name: 'the end of an outage of 45 % of a life',
      pods: SAMPLE,
      fleet: SETTLED,
      outage: [75, 108.75],
      reaches: { failing: 0.9 },
      judgedMinutes: [75, 150],
    },
    {
      name: 'a restart of all when an outage of 40 % of a life ends',
      pods: FLEET,
      fleet: SETTLED,
      outage: [75, 105],
      incidents: [[105, (pod) => pod.restart()]],
      judgedMinutes: [75, 147],
    },
    {
      name: 'a restart of all in an outage that has lasted for 40 % of a life, and its end two minutes later',
      pods: FEW,
      fleet: SETTLED,
      outage: [75, 107],
      incidents: [[105, (pod) => pod.restart()]],
      judgedMinutes: [75, 149],
    },
    {
      name: 'a restart of all within 10 s when an outage of 40 % of the shortest life ends, with the lives that Entra issues',
      pods: FEW,
      fleet: SETTLED_ON_ENTRA,
      outage: [90, 114],
      incidents: [[114, (pod) => pod.restart(10)]],
      judgedMinutes: [90, 165],
    },
    {
      name: 'a restart of all every four minutes of an outage of 40 % of a life',
      pods: FEW,
      fleet: SETTLED,
      outage: [75, 105],
      incidents: [80, 84, 88, 92, 96, 100, 104].map((minute) => [minute, (pod) => pod.restart()]),
      judgedMinutes: [75, 147],
    },
    {
      name: 'a changed issuer that all notice at once in an outage of 40 % of a life',
      pods: SAMPLE,
      fleet: SETTLED,
      outage: [75, 105],
      incidents: [[95, (pod) => pod.notice('ofAnotherIssuer')]],
      reaches: { rotating: 0.9 },
      judgedMinutes: [75, 147],
    },
  ];

  test.each(scenarios)('$name', expectNoUnison);
});
