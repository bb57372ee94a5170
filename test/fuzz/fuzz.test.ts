import fc from 'fast-check';
import { test } from 'vitest';
import { targets } from './targets.ts';

test.each(targets)('ten thousand of whatever comes find no defect: $name', ({ property }) => {
  fc.assert(property, { numRuns: 10_000 });
});
