import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/setup/global-setup.ts'],
    // Real processes: sharp, signals and process.env are a process' own.
    pool: 'forks',
    // Tests that say they are concurrent wait more than they work.
    maxConcurrency: 20,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
});
