import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

const integration = ['test/**/*.integration.test.ts'];
/** Those that judge wall-clock time. */
const timing = ['test/**/*.timing.test.ts'];
/** They judge it, too, and each has a whole pod of the image. */
const container = ['test/container/**/*.test.ts'];

export default defineConfig({
  test: {
    // Tests of the superuser start programs as others, who may not be able to enter its own TMPDIR.
    env: process.getuid?.() === 0 ? { TMPDIR: '/tmp' } : {},
    // Far more than any test takes: real processes and real servers share few cores with each other,
    // and with whatever else the machine does.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...integration, ...timing, ...container],
          setupFiles: 'test/support/no-processes.ts',
          // No test keeps state that another file could meet, and loading the files takes much of the time.
          isolate: false,
          maxWorkers: availableParallelism(),
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: integration,
          globalSetup: 'test/support/bundle.ts',
          // Most of these tests wait for processes, so that each core can take three files at a time.
          maxWorkers: 3 * availableParallelism(),
          isolate: false,
          maxConcurrency: 10,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'timing',
          include: timing,
          globalSetup: 'test/support/bundle.ts',
          // After all others have ended, one file at a time. Tests run beside each other only where they say so: they
          // mostly wait, and have seconds.
          sequence: { groupOrder: 2 },
          fileParallelism: false,
          isolate: false,
          maxConcurrency: 4,
        },
      },
      {
        extends: true,
        test: {
          name: 'container',
          include: container,
          globalSetup: 'test/support/bundle.ts',
          // Last, and one test at a time.
          sequence: { groupOrder: 3 },
          fileParallelism: false,
          maxConcurrency: 1,
        },
      },
    ],
  },
});
