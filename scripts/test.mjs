// @ts-check
// npm test: everything that is checked, in one run, and one line at the end that counts it.
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { bootstrap, ROOT, run } from "./bootstrap.mjs";
import { printPromises } from "./promises.mjs";
import { listFailures, readReport } from "./reports.mjs";

// turbo.json has test:bats-image wait for the tests of the image that it runs in. Else chance may put both before those of e2e, which run
// one file at a time, use about one core, and would be alone at the end for a quarter of an hour.
const TASKS = [
  "build",
  "lint",
  "//#lint:root",
  "typecheck",
  "test",
  "//#test:scripts",
  "image",
  "test:image",
  "//#test:bats-image",
];
const PLACES = ["packages/kit", "packages/setup", "packages/runtime", "images"];

/** The reports folders of every package, there or not. */
function reportFolders() {
  const packages = PLACES.flatMap((place) => readdirSync(join(ROOT, place)).map((name) => join(place, name)));
  return [...packages, "e2e", "scripts"].map((folder) => join(ROOT, folder, "reports"));
}

/** @typedef {import("./reports.mjs").Count} Count */

/** What Turbo says of its newest run: a check for every task that is no test, and a failure for a test task without report. */
function countTasks() {
  const folder = join(ROOT, ".turbo", "runs");
  const newest = readdirSync(folder)
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    .at(-1);
  const { tasks } = JSON.parse(readFileSync(String(newest), "utf8"));
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const { taskId, task, command, execution } of tasks) {
    if (command === "<NONEXISTENT>" || task.startsWith("test")) continue;
    const ok = execution?.exitCode === 0;
    count[ok ? "passed" : "failed"]++;
    if (!ok) process.stdout.write(`failed: ${taskId}\n`);
  }
  return count;
}

/**
 * Adds counts up.
 * @param {Count[]} counts
 * @returns {Count}
 */
function sum(counts) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of counts) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

const pnpm = bootstrap();
for (const folder of reportFolders()) rmSync(folder, { recursive: true, force: true });
rmSync(join(ROOT, ".turbo", "runs"), { recursive: true, force: true });
const code = run([
  ...pnpm,
  "turbo",
  "run",
  ...TASKS,
  "--continue=dependencies-successful",
  // Many tests start containers: more tasks at once than cores would make them wait for one another.
  `--concurrency=${Math.max(2, availableParallelism())}`,
  "--summarize",
  "--log-order=grouped",
  "--output-logs=new-only",
]);

const reports = reportFolders().flatMap((folder) => {
  try {
    return readdirSync(folder).map((name) => {
      const file = join(folder, name);
      return readReport(relative(ROOT, file), readFileSync(file, "utf8"));
    });
  } catch {
    return [];
  }
});
const promises = printPromises(ROOT);
const tasks = countTasks();
process.stdout.write(listFailures(reports.flatMap(({ failures }) => failures)));
const total = sum([tasks, ...reports.map(({ count }) => count), promises]);
if (code !== 0 && total.failed === 0) total.failed = 1;
process.stdout.write(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}\n`,
);
process.exitCode = total.failed > 0 ? 1 : 0;
