import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // By default vitest leaves a core to itself: half of the machine where there are two.
    maxWorkers: 2,
    // Real processes and real servers share two cores with each other in CI.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
