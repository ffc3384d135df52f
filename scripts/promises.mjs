// @ts-check
// The table of promises: every promise and every variable of the image with the test that shows it, on each variant.
// Reads images/postgresql/test/promises.json, the variables that the fragments declare, and Vitest's reports.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const IMAGE = join("images", "postgresql");

/**
 * A row: what is promised, which variables it is about, and "<file>: <part of a test's title>". What it needs is said where
 * its tests are skipped without that; the tests of other rows may not be.
 * @typedef {{ group: string, promise: string, variables?: string[], test: string, needs?: string }} Row
 * @typedef {{ file: string, title: string, status: string }} Test
 * @typedef {{ row: Row, results: ("passed" | "skipped" | "FAILED" | "no test")[] }} Judged
 */

/**
 * What image.json says of a variant.
 * @param {string} dist
 * @param {string} variant
 * @returns {{ onDemand: boolean, environment: Record<string, unknown> }}
 */
const imageJson = (dist, variant) => JSON.parse(readFileSync(join(dist, variant, "image.json"), "utf8"));

/**
 * Every test of Vitest's JSON reports in a folder.
 * @param {string} folder
 * @returns {Test[]}
 */
function reported(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), "utf8")).testResults ?? [])
    .flatMap(({ name, assertionResults }) =>
      assertionResults.map((/** @type {{ fullName: string, status: string }} */ { fullName, status }) => ({
        file: basename(name),
        title: fullName,
        status,
      })),
    );
}

/**
 * Whether a name in a row means a variable; ? stands for one digit.
 * @param {string} pattern
 * @param {string} name
 */
function means(pattern, name) {
  if (!pattern.includes("?")) return pattern === name;
  const [before, after] = /** @type {[string, string]} */ (pattern.split("?"));
  return name.startsWith(before) && name.endsWith(after) && /^\d$/.test(name.slice(before.length, -after.length));
}

/**
 * How the tests of a row went on each variant: all that match have to have passed, and there has to be one. Vitest has
 * more than one word for a test that was skipped.
 * @param {Row} row
 * @param {Test[]} tests
 * @param {string[]} variants
 * @returns {Judged}
 */
function judge(row, tests, variants) {
  const colon = row.test.indexOf(": ");
  const [file, part] = [row.test.slice(0, colon), row.test.slice(colon + 2)];
  const mine = tests.filter((test) => test.file === file && test.title.includes(part));
  const results = variants.map((variant) => {
    const here = mine.filter(({ title }) => title.includes(variant));
    if (here.length === 0) return "no test";
    if (here.every(({ status }) => status === "passed")) return "passed";
    return row.needs && here.every(({ status }) => !["passed", "failed"].includes(status)) ? "skipped" : "FAILED";
  });
  return { row, results };
}

/**
 * The table as text, a part for each group.
 * @param {Judged[]} judged
 * @param {string[]} variants
 */
function table(judged, variants) {
  /** @type {string[]} */
  const lines = [];
  let group = "";
  for (const { row, results } of judged) {
    if (row.group !== group) {
      group = row.group;
      lines.push("", `${group}`, `${variants.join(" | ")} | promise (variables) | test`);
    }
    const cells = results.map((result, index) => result.padEnd(String(variants[index]).length));
    const about = row.variables?.length ? ` (${row.variables.join(", ")})` : "";
    lines.push([...cells, `${row.promise}${about}`, row.test].join(" | "));
  }
  return lines.join("\n").trimStart();
}

/**
 * What is wrong with the rows as rows: a variable that no row is about, a row about a variable that is none.
 * @param {Row[]} rows
 * @param {string[]} names
 */
export function checkVariables(rows, names) {
  const patterns = rows.flatMap((row) => row.variables ?? []);
  const missing = names.filter((name) => !patterns.some((pattern) => means(pattern, name)));
  const unknown = patterns.filter((pattern) => !names.some((name) => means(pattern, name)));
  return [
    ...missing.map((name) => `variable ${name}: expected a row in promises.json, found none; add one with its test`),
    ...[...new Set(unknown)].map(
      (name) => `variable ${name}: a row is about it, but no fragment declares it; correct the row`,
    ),
  ];
}

/**
 * Whether a row is skipped: where one of its results is, and none is worse.
 * @param {Judged} judged
 */
const isSkipped = ({ results }) =>
  results.includes("skipped") && results.every((result) => result === "skipped" || result === "passed");

/**
 * Prints the table, and counts: a row is passed when its test is on every variant, and every complaint is a failure.
 * @param {string} root
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function printPromises(root) {
  const dist = join(root, IMAGE, "dist");
  /** @type {string[]} */
  let variants;
  /** @type {Test[]} */
  let tests;
  try {
    variants = readdirSync(dist)
      .filter((variant) => !imageJson(dist, variant).onDemand)
      .sort()
      .reverse();
    tests = reported(join(root, IMAGE, "reports"));
    // What takes a second image is tested there.
    const beside = join(root, "e2e", "reports");
    if (existsSync(beside)) tests.push(...reported(beside));
  } catch {
    process.stdout.write("promises: expected the image rendered and its tests run, found no report; see above why\n");
    return { passed: 0, failed: 1, skipped: 0 };
  }
  /** @type {Row[]} */
  const rows = JSON.parse(readFileSync(join(root, IMAGE, "test", "promises.json"), "utf8"));
  const judged = rows.map((row) => judge(row, tests, variants));
  const declared = variants.flatMap((variant) => Object.keys(imageJson(dist, variant).environment));
  const complaints = checkVariables(rows, [...new Set(declared)]);
  const skipped = judged.filter(isSkipped);
  const bad = judged.filter((one) => !isSkipped(one) && one.results.some((result) => result !== "passed"));
  process.stdout.write(`\n${table(judged, variants)}\n\n`);
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`);
  for (const needs of new Set(skipped.map(({ row }) => row.needs))) {
    const count = skipped.filter(({ row }) => row.needs === needs).length;
    process.stdout.write(`${count} promises not shown here: their tests need ${needs}\n`);
  }
  const failed = bad.length + complaints.length;
  const passed = rows.length - bad.length - skipped.length;
  process.stdout.write(
    failed === 0
      ? `${passed} promises, each with a test that passed on ${variants.join(" and ")}\n`
      : `${bad.length} promises without a passed test on ${variants.join(" and ")}, ${complaints.length} wrong variables\n`,
  );
  return { passed, failed, skipped: skipped.length };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { failed } = printPromises(dirname(dirname(fileURLToPath(import.meta.url))));
  process.exitCode = failed > 0 ? 1 : 0;
}
