import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real processes and real servers share two cores with each other in CI.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
