import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that wait the longest: begun last, they would run alone at the end. */
const longest = [
  'faults/slow-names',
  'simulation/fleet-outages',
  'process/stall',
  'faults/refusals',
  'faults/federated-token',
  'demo/demo',
  'faults/hostile-answers',
  'process/probes',
  'faults/answers',
  'process/once-failures',
  'process/rotation',
  'simulation/fleet',
  'process/flood',
  'process/kept-token',
];

/** The order of the test files: the longest first, then as vitest has it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.integration.test.ts`));
  return at < 0 ? longest.length : at;
}
