// @ts-check
// Runs the BATS tests of the package in this folder and leaves a TAP report for `npm test` to count.
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { $ } from "zx";

if (!existsSync("test")) {
  console.error(`expected tests in ${join(process.cwd(), "test")}, found none`);
  process.exit(1);
}
mkdirSync("reports", { recursive: true });
// The npm package of BATS links no program.
const bats = join(dirname(createRequire(import.meta.url).resolve("bats/package.json")), "bin", "bats");
const result = await $({
  nothrow: true,
  stdio: "inherit",
})`${bats} --timing --report-formatter tap --output reports test`;
process.exitCode = result.exitCode ?? 1;
