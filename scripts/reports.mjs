// @ts-check
// Reads the reports that test runs leave: how many tests passed, and which failed and why.

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */
/** @typedef {{ test: string, why: string }} Failure `test` names its file and itself; `why` is what its runner said. */

const ESCAPE = String.fromCharCode(27);
const COLOURS = new RegExp(`${ESCAPE}\\[[0-9;]*m`, "g");
/** Of each failure: enough for an assertion with its place, not a log. */
const LINES = 25;

/**
 * The start of a text without colours and stack frames of libraries.
 * @param {string} text
 */
function shorten(text) {
  const lines = text
    .replace(COLOURS, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.includes("node_modules"));
  const more = lines.length > LINES ? [`(${lines.length - LINES} lines more)`] : [];
  return [...lines.slice(0, LINES), ...more].join("\n");
}

/**
 * Reads Vitest's JSON report.
 * @param {string} text
 * @returns {{ count: Count, failures: Failure[] }}
 */
function readVitest(text) {
  const report = JSON.parse(text);
  // A suite that failed to load has no failed test of its own.
  const broken = report.testResults.filter(
    (/** @type {any} */ suite) =>
      suite.status === "failed" && !suite.assertionResults.some((/** @type {any} */ test) => test.status === "failed"),
  );
  const failures = [
    ...report.testResults.flatMap((/** @type {any} */ suite) =>
      suite.assertionResults
        .filter((/** @type {any} */ test) => test.status === "failed")
        .map((/** @type {any} */ test) => ({
          test: `${suite.name}: ${test.fullName}`,
          why: shorten(test.failureMessages.join("\n")),
        })),
    ),
    ...broken.map((/** @type {any} */ suite) => ({ test: suite.name, why: shorten(suite.message ?? "") })),
  ];
  return {
    count: {
      passed: report.numPassedTests,
      failed: failures.length,
      skipped: report.numPendingTests + report.numTodoTests,
    },
    failures,
  };
}

/**
 * Reads a TAP report.
 * @param {string} file
 * @param {string} text
 * @returns {{ count: Count, failures: Failure[] }}
 */
function readTap(file, text) {
  const lines = text.split("\n");
  const skipped = lines.filter((line) => /^ok .*# skip/i.test(line)).length;
  const failures = [...text.matchAll(/^not ok \d+ (.*)\n((?:#.*(?:\n|$))*)/gm)].map(([, test = "", said = ""]) => ({
    test: `${file}: ${test}`,
    why: shorten(said.replaceAll(/^# ?/gm, "")),
  }));
  return {
    count: {
      passed: lines.filter((line) => line.startsWith("ok ")).length - skipped,
      failed: failures.length,
      skipped,
    },
    failures,
  };
}

/**
 * Reads a report: Vitest's JSON where the file's name ends so, TAP otherwise.
 * @param {string} file
 * @param {string} text what stands in it
 * @returns {{ count: Count, failures: Failure[] }}
 */
export function readReport(file, text) {
  return file.endsWith(".json") ? readVitest(text) : readTap(file, text.endsWith("\n") ? text : `${text}\n`);
}

/**
 * The failures as text, the last thing before the count: whoever reads only the end of a log finds them there.
 * @param {Failure[]} failures
 */
export function listFailures(failures) {
  if (failures.length === 0) return "";
  const parts = failures.map(({ test, why }) => `FAILED ${test}\n${why.replaceAll(/^/gm, "  ")}\n`);
  return `\n${parts.join("\n")}\n`;
}
