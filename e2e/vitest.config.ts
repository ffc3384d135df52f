import { defineConfig } from "vitest/config";

// Whole builds in scratch copies of the workspace, one file at a time: they share the engine's cache.
export default defineConfig({ test: { testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false } });
