// @ts-check
import { describe, expect, it } from "vitest";
import { coverageTable, mergeCoverage, percent, readCobertura, totalOf } from "../coverage.mjs";

const SOURCE = "runtime/demo/rootfs/opt/demo/run.sh";

/**
 * @param {string} file
 * @param {Record<number, number>} hits
 */
const seen = (file, hits) => ({
  file,
  lines: new Map(Object.entries(hits).map(([line, count]) => [Number(line), count])),
});
const noText = () => "";

describe("readCobertura", () => {
  it("gives every file with its whole path and its lines", () => {
    const xml = `<coverage><sources><source>/tmp/</source></sources><classes>
      <class name="a" filename="x/a.sh"><lines><line number="3" hits="0"/><line number="4" hits="2"/></lines></class>
      <class name="b" filename="b.sh"><lines></lines></class></classes></coverage>`;
    expect(readCobertura(xml)).toEqual([seen("/tmp/x/a.sh", { 3: 0, 4: 2 }), seen("/tmp/b.sh", {})]);
  });
});

describe("mergeCoverage", () => {
  it("counts a file that no test runs as not covered", () => {
    const results = mergeCoverage([seen(`/packages/${SOURCE}`, { 1: 0, 2: 0 })], noText);
    expect(results).toEqual([{ file: SOURCE, lines: 2, covered: 0, missed: [1, 2] }]);
  });

  it("adds up the copies of a file, wherever they were", () => {
    const results = mergeCoverage(
      [
        seen("/tmp/1/image/opt/demo/run.sh", { 1: 1, 2: 0, 3: 0 }),
        seen(`/packages/${SOURCE}`, { 1: 0, 2: 0, 3: 0 }),
        seen("/tmp/2/image/opt/demo/run.sh", { 1: 0, 2: 5, 3: 0 }),
      ],
      noText,
    );
    expect(results).toEqual([{ file: SOURCE, lines: 3, covered: 2, missed: [3] }]);
  });

  it("takes no file for a copy that has other lines, or only the name in common", () => {
    const results = mergeCoverage(
      [
        seen(`/packages/${SOURCE}`, { 1: 0, 2: 0 }),
        seen("/tmp/1/image/opt/demo/run.sh", { 1: 1 }),
        seen("/tmp/1/other/run.sh", { 1: 1, 2: 1 }),
      ],
      noText,
    );
    expect(results[0]?.covered).toBe(0);
  });

  it("tells two files of one name apart by their folders", () => {
    const other = "setup/demo/rootfs/mnt/setup/demo/run.sh";
    const results = mergeCoverage(
      [
        seen(`/packages/${SOURCE}`, { 1: 0 }),
        seen(`/packages/${other}`, { 1: 0 }),
        seen("/tmp/setup/demo/run.sh", { 1: 1 }),
      ],
      noText,
    );
    expect(results.map(({ file, covered }) => [file, covered])).toEqual([
      [SOURCE, 0],
      [other, 1],
    ]);
  });

  it("leaves out what bash never traces, and nothing else", () => {
    const text = [
      'done <"$1"',
      "} >&2",
      ") 2>/dev/null",
      "x) ;;",
      '"" | yes) ;;',
      "x) run ;;",
      "x) y=$(z) ;;",
      "done",
      "run >&2",
    ];
    const hits = Object.fromEntries(text.map((_, index) => [index + 1, 0]));
    const [result] = mergeCoverage([seen(`/packages/${SOURCE}`, hits)], () => text.join("\n"));
    expect(result?.missed.map((line) => text[line - 1])).toEqual(["x) run ;;", "x) y=$(z) ;;", "done", "run >&2"]);
  });
});

describe("percent", () => {
  it("rounds down, so that nothing passes that is below", () => {
    expect(percent({ lines: 10_000, covered: 8_999 })).toBe(89.9);
    expect(percent({ lines: 0, covered: 0 })).toBe(100);
  });
});

describe("coverageTable", () => {
  it("has a line per file with what was missed, and the total", () => {
    const results = [
      { file: "a.sh", lines: 4, covered: 1, missed: [2, 3, 9] },
      { file: "b.sh", lines: 6, covered: 6, missed: [] },
    ];
    expect(totalOf(results)).toEqual({ lines: 10, covered: 7 });
    expect(coverageTable(results).split("\n").slice(1)).toEqual([
      "  25.0         1/4  a.sh  (2-3 9)",
      " 100.0         6/6  b.sh",
      "  70.0        7/10  total",
    ]);
  });

  it("does not list more than a line holds", () => {
    const missed = Array.from({ length: 30 }, (_, index) => index * 2);
    expect(coverageTable([{ file: "a.sh", lines: 30, covered: 0, missed }])).toContain("22 …)");
  });
});
