// @ts-check
import { expect, test } from "vitest";
import { listFailures, readReport } from "../reports.mjs";

const passed = { status: "passed", fullName: "works", failureMessages: [] };
const failed = {
  status: "failed",
  fullName: "stops in time",
  failureMessages: [
    "AssertionError: expected 255\n    at /x/node_modules/chai/index.js:3\n    at /x/test/stop.test.ts:7",
  ],
};

/** @param {object[]} testResults @param {number} numPassedTests */
const vitest = (testResults, numPassedTests) =>
  JSON.stringify({ numPassedTests, numPendingTests: 1, numTodoTests: 1, testResults });

test("counts Vitest's tests and names the failed ones with the line of the test", () => {
  const text = vitest([{ name: "stop.test.ts", status: "failed", assertionResults: [passed, failed] }], 1);
  expect(readReport("a.json", text)).toEqual({
    count: { passed: 1, failed: 1, skipped: 2 },
    failures: [
      {
        test: "stop.test.ts: stops in time",
        why: "AssertionError: expected 255\n    at /x/test/stop.test.ts:7",
      },
    ],
  });
});

test("takes a suite that could not be loaded for one failure, beside failed tests too", () => {
  const text = vitest(
    [
      { name: "broken.test.ts", status: "failed", message: "no such module", assertionResults: [] },
      { name: "stop.test.ts", status: "failed", assertionResults: [failed] },
    ],
    0,
  );
  expect(readReport("a.json", text).count.failed).toBe(2);
  expect(readReport("a.json", text).failures).toContainEqual({ test: "broken.test.ts", why: "no such module" });
});

test("counts TAP's tests and names the failed ones with what was said of them", () => {
  const text =
    "1..4\nok 1 a\nok 2 b # skip no root\nnot ok 3 c\n# (in test file c.bats, line 3)\n# `false' failed\nnot ok 4 d";
  expect(readReport("report.tap", text)).toEqual({
    count: { passed: 1, failed: 2, skipped: 1 },
    failures: [
      { test: "report.tap: c", why: "(in test file c.bats, line 3)\n`false' failed" },
      { test: "report.tap: d", why: "" },
    ],
  });
});

test("lists failures in short, and nothing where there is none", () => {
  expect(listFailures([])).toBe("");
  const long = readReport("x.tap", `not ok 1 c\n${"# line\n".repeat(40)}`).failures;
  expect(listFailures(long)).toContain("FAILED x.tap: c\n  line\n");
  expect(listFailures(long)).toContain("(15 lines more)");
});
