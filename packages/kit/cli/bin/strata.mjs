#!/usr/bin/env node
import { existsSync } from "node:fs";
import module from "node:module";

// A workspace's clone has no dist yet, and pnpm links this file before anything is built.
const main = new URL("../dist/main.js", import.meta.url);
if (Number.parseInt(process.versions.node, 10) < 20) {
  console.error(
    `strata: expected Node.js 20 or later, found ${process.versions.node}\n  → install Node.js 20 or later`,
  );
  process.exitCode = 1;
} else if (existsSync(main)) {
  // Node.js 22 and later keep what they compiled.
  module.enableCompileCache?.();
  await import(main.href);
} else {
  console.error("strata: expected its own dist folder, found none\n  → run `pnpm turbo build --filter @strata/cli...`");
  process.exitCode = 1;
}
