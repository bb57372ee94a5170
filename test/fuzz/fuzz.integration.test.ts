import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { drawnOut, nearly, propertyOf } from './target.ts';
import { targets } from './targets.ts';

// Most inputs are refused by an error, and its stack costs the most. What is told of a defect, the seed and the
// input, is enough to see the stack with `npm run fuzz`.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

test.each(targets)('$runsInTests of whatever comes find no defect: $name', async (target) => {
  await fc.assert(propertyOf(target, nearly), { numRuns: target.runsInTests });
});

test.each(targets)('texts of 100 kB find no defect and no hang: $name', async (target) => {
  await fc.assert(propertyOf(target, drawnOut), { numRuns: 25 });
});
