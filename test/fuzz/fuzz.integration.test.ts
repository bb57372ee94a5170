import fc from 'fast-check';
import { test } from 'vitest';
import { drawnOut, nearly, propertyOf } from './target.ts';
import { targets } from './targets.ts';

test.each(targets)('$runsInTests of whatever comes find no defect: $name', async (target) => {
  await fc.assert(propertyOf(target, nearly), { numRuns: target.runsInTests });
});

test.each(targets)('texts of 100 kB find no defect and no hang: $name', async (target) => {
  await fc.assert(propertyOf(target, drawnOut), { numRuns: 25 });
});
