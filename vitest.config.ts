import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/setup/longest-first.ts';

/** Tests that need other programs, bundling or processes of their own, or take more than a few seconds. */
const SLOW = 'test/**/*.slow.test.ts';

export default defineConfig({
  test: {
    // Processes and not threads: sharp, signals and process.env belong to a process.
    pool: 'forks',
    // One more than cores: slow tests wait for a quarter of their time.
    maxWorkers: availableParallelism() + 1,
    // Concurrent tests mostly wait.
    maxConcurrency: 20,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Programs may still be being installed when a test of its own has ended.
    teardownTimeout: 240_000,
    projects: [
      {
        extends: true,
        test: {
          ...{ name: 'fast', include: ['test/**/*.test.ts'], exclude: [SLOW] },
          // One process for each core runs file after file: to start one, and to load what it imports, takes longer than most files.
          // Modules have no state that tests see, and stubs are undone after each file.
          ...{ isolate: false, setupFiles: ['test/support/setup/leave-no-stubs.ts'] },
        },
      },
      {
        extends: true,
        test: { name: 'slow', include: [SLOW], globalSetup: ['test/support/setup/global-setup.ts'] },
      },
    ],
  },
});
