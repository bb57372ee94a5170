import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

const integration = ['test/**/*.integration.test.ts'];
/** Those that judge wall-clock time. The tests of the image do, too, and each has a whole pod. */
const timing = ['test/**/*.timing.test.ts', 'test/container/**/*.test.ts'];

/** What files share: the program, PostgreSQL, and the keys of the fake Entra. */
const globalSetup = [
  'test/support/bundle.ts',
  'test/support/postgres/share.ts',
  'test/support/fake-entra/share-keys.ts',
];

export default defineConfig({
  test: {
    // Tests of the superuser start programs as others, who may not be able to enter its own TMPDIR.
    env: process.getuid?.() === 0 ? { TMPDIR: '/tmp' } : {},
    // Far more than any test takes: real processes and real servers share few cores with each other,
    // and with whatever else the machine does.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...integration, ...timing],
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
          globalSetup,
          // Most of these tests wait for processes, so that each core can take four files at a time.
          maxWorkers: 4 * availableParallelism(),
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
          globalSetup,
          // After all others have ended, one file at a time, and of that one test at a time.
          sequence: { groupOrder: 2 },
          fileParallelism: false,
          isolate: false,
          maxConcurrency: 1,
        },
      },
    ],
  },
});
