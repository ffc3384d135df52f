import { defineConfig } from "vitest/config";

// Real containers: a start takes seconds, and a machine of two cores runs two files, or two variants, at a time.
export default defineConfig({
  test: { testTimeout: 120_000, hookTimeout: 120_000, maxWorkers: 2, maxConcurrency: 3 },
});
