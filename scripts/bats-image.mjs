// @ts-check
// Runs every package's BATS tests inside the image, in both variants, and measures the line coverage of our shell.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { attempt, build, findEngine, readSite } from "../packages/kit/engine/dist/index.js";
import { ROOT } from "./bootstrap.mjs";
import { coverageTable, mergeCoverage, percent, readCobertura, totalOf } from "./coverage.mjs";

const IMAGES = join(ROOT, "images", "postgresql", "dist");
const REPORTS = join(ROOT, "scripts", "reports");
/** Percent of all executable lines. */
const THRESHOLD = 90;
/** Debian 12 has no kcov. As root the tests step down to a user, as the image's own user they need not. */
const VARIANTS = [
  { name: "17-trixie", packages: ["nodejs", "kcov"], user: "0:0" },
  { name: "15-bookworm", packages: ["nodejs"], user: "999:999" },
];
const JOB_LIMIT = 600_000;

/** @typedef {{ variant: string, tag: string, user: string, folder: string }} Job */

/** Folders below packages/ that have BATS tests, such as `runtime/entrypoint`; the first ones take longest. */
function packagesWithTests() {
  return ["setup", "runtime"]
    .flatMap((kind) => readdirSync(join(ROOT, "packages", kind)).map((name) => `${kind}/${name}`))
    .sort((a, b) => (a.startsWith("setup/") === b.startsWith("setup/") ? b.localeCompare(a, "en") : a.localeCompare(b)))
    .filter((folder) => {
      const test = join(ROOT, "packages", folder, "test");
      return existsSync(test) && readdirSync(test).some((file) => file.endsWith(".bats"));
    });
}

/** Writes a TAP report with one check. @param {string} name @param {string} line */
function writeCheck(name, line) {
  writeFileSync(join(REPORTS, `bats-image-${name}.tap`), `1..1\n${line}\n`);
  process.stdout.write(`${line}\n`);
}

/** The line of an error's message that says most, as TAP needs it: APT's own, else the last. @param {unknown} error */
function oneLine(error) {
  const lines = String(error instanceof Error ? error.message : error).split("\n");
  const line = lines.find((text) => /^\s*E: /.test(text)) ?? lines.filter((text) => text.trim()).at(-1) ?? "";
  return line.trim().slice(0, 300);
}

/** Gathers what the test image holds: BATS, our scripts and their tests. @param {string} context */
function fillContext(context) {
  const here = join(ROOT, "scripts", "bats-image");
  cpSync(join(here, "Dockerfile"), join(context, "Dockerfile"));
  cpSync(here, join(context, "tools"), { recursive: true });
  cpSync(dirname(createRequire(import.meta.url).resolve("bats/package.json")), join(context, "bats"), {
    recursive: true,
    dereference: true,
  });
  for (const kind of ["setup", "runtime"])
    for (const name of readdirSync(join(ROOT, "packages", kind)))
      for (const part of ["rootfs", "test"]) {
        const from = join(ROOT, "packages", kind, name, part);
        if (existsSync(from)) cpSync(from, join(context, "packages", kind, name, part), { recursive: true });
      }
}

/**
 * Builds the test image of a variant. Gives undefined, or why its packages could not be installed.
 * @param {import("../packages/kit/engine/dist/index.js").Engine} engine
 * @param {{ context: string, variant: string, tag: string, packages: readonly string[] }} what
 */
async function buildTestImage(engine, { context, variant, tag, packages }) {
  const { tags, base } = JSON.parse(readFileSync(join(IMAGES, variant, "image.json"), "utf8"));
  try {
    const args = { IMAGE: tags[0], PACKAGES: packages.join(" ") };
    await build(engine, { folder: context, tags: [tag], args, site: await readSite(base.suite) });
    return undefined;
  } catch (error) {
    return oneLine(error);
  }
}

/**
 * Runs the tests of one package in a container and fetches its reports. Gives what to show when a test failed.
 * @param {import("../packages/kit/engine/dist/index.js").Engine} engine
 * @param {Job} job
 * @returns {Promise<{ failed: string, coverage?: string }>}
 */
async function runJob(engine, { variant, tag, user, folder }) {
  const id = `${variant}-${folder.replace("/", "-")}`;
  const name = `strata-bats-${process.pid}-${id}`;
  const out = mkdtempSync(join(tmpdir(), "strata-bats-"));
  const docker = (/** @type {string[]} */ args, options = {}) => attempt(engine.client, args, options);
  try {
    const ran = await docker(["run", "--name", name, "--network", "none", "--user", user, tag, folder], {
      timeout: JOB_LIMIT,
    });
    await docker(["cp", `${name}:/out/.`, out]);
    const report = join(out, "report.tap");
    if (!existsSync(report)) {
      const line = `not ok 1 the tests of ${folder} in ${variant} leave a report`;
      writeCheck(id, `${line}\n# ${ran.reason}`);
      return { failed: `${line}\n` };
    }
    const tap = readFileSync(report, "utf8");
    writeFileSync(join(REPORTS, `bats-image-${id}.tap`), tap);
    let failed = tap.match(/^not ok .*\n(#.*\n)*/gm)?.join("") ?? "";
    const planned = Number(/^1\.\.(\d+)/.exec(tap)?.[1]);
    const done = tap.match(/^(not )?ok /gm)?.length ?? 0;
    process.stdout.write(`${failed ? "failed" : "ok"}: ${done} of ${planned} BATS tests of ${folder} in ${variant}\n`);
    if (done !== planned) {
      const line = `not ok 1 all ${planned} tests of ${folder} in ${variant} run to their end`;
      writeCheck(`${id}-plan`, line);
      failed += `${line}\n`;
    }
    const coverage = join(out, "cov.xml");
    return { failed, ...(existsSync(coverage) ? { coverage: readFileSync(coverage, "utf8") } : {}) };
  } finally {
    await docker(["rm", "--force", "--volumes", name]);
    rmSync(out, { recursive: true, force: true });
  }
}

/**
 * Runs an action on every item, as many at once as there are processors.
 * @template T, R
 * @param {readonly T[]} items
 * @param {(item: T) => Promise<R>} action
 * @returns {Promise<R[]>}
 */
async function inParallel(items, action) {
  const waiting = [...items];
  /** @type {R[]} */
  const results = [];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) results.push(await action(item));
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  return results;
}

/**
 * Prints the table and writes the check. Gives whether it passed.
 * @param {readonly string[]} reports of kcov
 * @param {string} context folder with the sources as they were tested
 * @param {string} reason why there are no reports
 */
function reportCoverage(reports, context, reason) {
  if (reports.length === 0) {
    writeCheck("coverage", `ok 1 line coverage of our shell # skip ${reason}`);
    return true;
  }
  const textOf = (/** @type {string} */ file) => readFileSync(join(context, "packages", file), "utf8");
  const results = mergeCoverage(reports.flatMap(readCobertura), textOf);
  const total = percent(totalOf(results));
  process.stdout.write(`\n${coverageTable(results)}\n\n`);
  const passed = total >= THRESHOLD;
  const text = `line coverage of our shell: expected at least ${THRESHOLD} %, found ${total} %`;
  writeCheck("coverage", `${passed ? "ok" : "not ok"} 1 ${text}`);
  return passed;
}

/**
 * Builds the test images. Gives what there is to run, and why there may be no coverage. A machine that cannot install
 * what is needed is told of as skipped.
 * @param {import("../packages/kit/engine/dist/index.js").Engine} engine
 * @param {string} context
 */
async function prepare(engine, context) {
  const folders = packagesWithTests();
  /** @type {Job[]} */
  const jobs = [];
  let reason = "the test image with kcov could not be built";
  for (const { name: variant, packages, user } of VARIANTS) {
    const tag = `strata-bats-${process.pid}:${variant}`;
    let refused = await buildTestImage(engine, { context, variant, tag, packages });
    if (refused !== undefined && packages.includes("kcov")) {
      reason = `kcov could not be installed: ${refused}`;
      const others = packages.filter((name) => name !== "kcov");
      refused = await buildTestImage(engine, { context, variant, tag, packages: others });
    }
    if (refused === undefined) jobs.push(...folders.map((folder) => ({ variant, tag, user, folder })));
    else writeCheck(variant, `ok 1 BATS inside ${variant} # skip its test image could not be built: ${refused}`);
  }
  // What takes longest is begun first, so that nothing is left running alone at the end.
  jobs.sort((a, b) => folders.indexOf(a.folder) - folders.indexOf(b.folder));
  return { jobs, reason };
}

/** Gives whether everything passed. */
async function main() {
  const engine = await findEngine();
  const context = mkdtempSync(join(tmpdir(), "strata-bats-"));
  try {
    fillContext(context);
    const { jobs, reason } = await prepare(engine, context);
    const done = await inParallel(jobs, (job) => runJob(engine, job));
    process.stdout.write(done.map(({ failed }) => failed).join(""));
    const reports = done.flatMap(({ coverage }) => (coverage === undefined ? [] : [coverage]));
    const covered = reportCoverage(reports, context, reason);
    return covered && done.every(({ failed }) => failed === "");
  } finally {
    rmSync(context, { recursive: true, force: true });
    const tags = VARIANTS.map(({ name }) => `strata-bats-${process.pid}:${name}`);
    await attempt(engine.client, ["image", "rm", "--force", ...tags]);
  }
}

mkdirSync(REPORTS, { recursive: true });
for (const file of readdirSync(REPORTS).filter((name) => name.startsWith("bats-image")))
  rmSync(join(REPORTS, file), { recursive: true });
try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  writeCheck("run", `not ok 1 BATS inside the image: ${oneLine(error)}`);
  process.exitCode = 1;
}
