import { describe, expect, it } from "vitest";
import { aims, type Cell, cellLine, HEAD, kept, spread, stagesRun } from "../build/results.ts";
import { type BuildRecord, engineSeconds, type Sample, tasksRun, turboSeconds } from "../build/workspace.ts";

const part = (id: string, kind: string, state: string) => ({ id, kind, fragment: id.split("/")[1] ?? null, state });
const record = (parts: BuildRecord["parts"], artifacts: string[] = []): BuildRecord => ({
  id: "sha256:1",
  tags: ["x/y:17"],
  began: "2026-01-01T00:00:01.000Z",
  seconds: 3,
  engine: { dialect: "portable" },
  without: [],
  artifacts: artifacts.map((fragment) => ({ fragment })),
  parts,
});
const sample = (total: number, of = record([]), tasks = 0): Sample => ({
  total,
  turbo: 0.5,
  turboOwn: 0.25,
  tasks,
  engine: total / 4,
  strata: total / 4,
  record: of,
});
const cell = (
  edit: string,
  turbo: Cell["turbo"],
  engine: Cell["engine"],
  ours: Sample[],
  classic: number[] = [],
): Cell => ({
  edit,
  turbo,
  engine,
  ours,
  classic,
});

describe("what programs print", () => {
  it("is read: Turbo's own time and its tasks", () => {
    expect(turboSeconds(" Tasks: 1\n  Time:    259ms >>> FULL TURBO\n")).toBeCloseTo(0.259);
    expect(turboSeconds("  Time:    12.34s \n")).toBeCloseTo(12.34);
    expect(turboSeconds("  Time:    1m2.5s \n")).toBeCloseTo(62.5);
    expect(turboSeconds("nothing")).toBeNaN();
    expect(tasksRun("Cached:    16 cached, 18 total")).toBe(2);
  });

  it("is read: when the engine was asked, and when it had answered", () => {
    const at = Date.parse("2026-01-01T00:00:02.000Z");
    const said = [
      { at: at - 500, text: "fetching" },
      { at, text: "building x/y:17 on debian (bootstrap)" },
    ];
    expect(engineSeconds(said, record([]))).toBeCloseTo(2);
    expect(engineSeconds([], record([]))).toBeNaN();
  });
});

describe("what ran", () => {
  const parts = [
    part("base", "base", "built"),
    part("stage/tools", "toolchain", "built"),
    part("stage/one", "build", "built"),
    part("stage/two", "build", "cached"),
    part("setup/a", "setup", "cached"),
    part("runtime/b", "runtime", "built"),
    part("metadata", "metadata", "built"),
  ];

  it("is told apart: an artifact that is unpacked is no compiler", () => {
    expect(stagesRun(record(parts)).compilers).toEqual(["tools", "one"]);
    expect(stagesRun(record(parts, ["one"]))).toEqual({ all: ["tools", "one (its artifact)"], compilers: ["tools"] });
  });

  it("is held against the law: only what may stay counts", () => {
    expect(kept({ parts }, new Set(["runtime/b", "stage/one"]))).toEqual({
      allowed: 3,
      kept: 2,
      lost: ["stage/tools"],
    });
    expect(kept({ parts }, new Set(["setup/a"]))).toMatchObject({ allowed: 4, kept: 1 });
  });

  it("is a line of the table", () => {
    const line = cellLine(
      cell("nothing", "warm", "cold", [sample(4, record(parts), 2), sample(6, record(parts), 2)], [10]),
    );
    expect(line).toHaveLength(HEAD.length);
    expect(line.slice(3)).toEqual([
      "5.00 s (4.50 to 5.50)",
      "0.50 + 1.25 + 1.25",
      "2",
      "tools, one",
      "1",
      "10 s",
      "2.00",
    ]);
    expect(spread([])).toBe("");
  });
});

describe("the aims", () => {
  const own = record([part("stage/setup-x", "build", "built")]);
  const other = record([part("stage/setup-y", "build", "built")]);
  const verdict = (what: RegExp, lines: ReturnType<typeof aims>): string | undefined =>
    lines.find(([name]) => what.test(name))?.[2];
  const cells = [
    cell("nothing", "warm", "warm", [sample(1)]),
    cell("line in entrypoint.sh", "warm", "warm", [sample(1.5)]),
    cell("release of setup-x", "warm", "warm", [sample(9, own)]),
    cell("nothing", "cold", "cold", [sample(200, own)], [210]),
    cell("nothing", "warm", "cold", [sample(30)]),
  ];

  it("are judged by medians, each with its ratio", () => {
    const lines = aims({ cells, floor: [1, 1, 1], replay: { edits: 50, allowed: 100, kept: 95 } });
    expect(lines.map(([, , word]) => word).filter((word) => /MISSED/.test(word))).toEqual([]);
    expect(lines.find(([what]) => what.startsWith("entrypoint edit"))?.[1]).toBe("1.50 s / 1.00 s = 1.50");
    expect(verdict(/^replay of 50/, lines)).toBe("at least 0.95: met");
  });

  it("are missed where they are", () => {
    const worse = [
      cell("nothing", "warm", "warm", [sample(1, record([]), 3)]),
      cell("line in entrypoint.sh", "warm", "warm", [sample(3)]),
      cell("release of setup-x", "warm", "warm", [sample(9, own), sample(9, other)]),
      cell("nothing", "cold", "cold", [sample(200)], [150]),
      cell("nothing", "warm", "cold", [sample(100, own)]),
    ];
    const lines = aims({ cells: worse, floor: [1], replay: { edits: 1, allowed: 100, kept: 94 } });
    const judged = lines.filter(([, , word]) => word !== "");
    expect(judged.map(([, , word]) => /MISSED/.test(word))).toEqual(judged.map(() => true));
  });

  it("say what was not measured, and why", () => {
    const lines = aims({ cells: [], floor: [], noComponent: "no sources" });
    expect(lines.every(([, , word]) => word === "" || word === "skipped")).toBe(true);
    expect(verdict(/component/, lines)).toBe("skipped");
  });
});
