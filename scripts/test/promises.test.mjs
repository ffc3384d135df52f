// @ts-check
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkVariables, printPromises } from "../promises.mjs";

const row = { group: "1. One", promise: "it starts", variables: ["NAME", "REPO?_KEY"], test: "a.test.ts: starts" };

describe("checkVariables", () => {
  it("takes a digit for a question mark, and nothing else", () => {
    expect(checkVariables([row], ["NAME", "REPO1_KEY", "REPO2_KEY"])).toEqual([]);
    expect(checkVariables([row], ["NAME", "REPO1_KEY", "REPO1_S3_KEY"])).toEqual([
      expect.stringContaining("variable REPO1_S3_KEY: expected a row"),
    ]);
  });

  it("names a row's variable that nobody declares", () => {
    expect(checkVariables([row], ["NAME"])).toEqual([expect.stringContaining("variable REPO?_KEY: a row is about it")]);
  });
});

describe("printPromises", () => {
  let root = "";
  let printed = "";

  /**
   * @param {string} path
   * @param {string} text
   */
  const write = (path, text) => {
    const file = join(root, "images/postgresql", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };

  /**
   * @param {string[]} passed the variants on which the test passed
   * @param {string} other what it did on the others
   */
  const report = (passed, other = "failed") =>
    write(
      "reports/vitest.json",
      JSON.stringify({
        testResults: [
          {
            name: "/somewhere/a.test.ts",
            assertionResults: ["two", "one"].map((variant) => ({
              fullName: `image '${variant}' starts`,
              status: passed.includes(variant) ? "passed" : other,
            })),
          },
        ],
      }),
    );

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "strata-promises-"));
    printed = "";
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    for (const variant of ["one", "two"])
      write(`dist/${variant}/image.json`, JSON.stringify({ environment: { NAME: {}, REPO1_KEY: {} } }));
    write("dist/rare/image.json", JSON.stringify({ onDemand: true, environment: {} }));
    write("test/promises.json", JSON.stringify([row]));
  });

  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(root, { recursive: true });
  });

  it("counts a row whose test passed on every variant", () => {
    report(["one", "two"]);
    expect(printPromises(root)).toEqual({ passed: 1, failed: 0, skipped: 0 });
    expect(printed).toContain("it starts (NAME, REPO?_KEY) | a.test.ts: starts");
    expect(printed).toContain("1 promises, each with a test that passed on two and one");
  });

  it("fails for a test that failed on one variant, and for one that is not there", () => {
    report(["one"]);
    expect(printPromises(root)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(printed).toMatch(/^FAILED +\| passed/m);
    write("test/promises.json", JSON.stringify([{ ...row, test: "a.test.ts: flies" }]));
    expect(printPromises(root).failed).toBe(1);
    expect(printed).toMatch(/^no test +\| no test/m);
  });

  it("skips a row that says what its test needs, and fails another whose test was skipped", () => {
    report(["one"], "skipped");
    expect(printPromises(root)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    write("test/promises.json", JSON.stringify([{ ...row, needs: "the sources of Citus" }]));
    expect(printPromises(root)).toEqual({ passed: 0, failed: 0, skipped: 1 });
    expect(printed).toMatch(/^skipped +\| passed/m);
    expect(printed).toContain("1 promises not shown here: their tests need the sources of Citus");
    report(["one"]);
    expect(printPromises(root)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it("fails without a report, and for a variable without a row", () => {
    expect(printPromises(root)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    report(["one", "two"]);
    write("dist/one/image.json", JSON.stringify({ environment: { NAME: {}, REPO1_KEY: {}, OTHER: {} } }));
    expect(printPromises(root)).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(printed).toContain("variable OTHER: expected a row");
  });
});
