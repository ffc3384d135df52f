import { stripVTControlCharacters } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { reportText } from "../src/report/index.js";
import type { BuildRecord } from "../src/report/record.js";
import { wrap } from "../src/report/text.js";
import { COLD, EDIT, EMPTY, FAILED, HOSTILE, WARM } from "./report-example.js";

// Colours are on, whatever the terminal of the test is.
vi.mock("picocolors", async (original) => {
  const actual = await original<{ default: typeof import("picocolors") }>();
  return { default: actual.default.createColors(true) };
});

const text = (record: BuildRecord, previous?: BuildRecord): string =>
  stripVTControlCharacters(reportText(record, previous));

const LONG = "x".repeat(300);

describe("wrap", () => {
  it("breaks at words, and a word that is too long where it must", () => {
    const lines = wrap(`a ${"b".repeat(90)} c ${LONG}`, "  ");
    expect(lines[0]).toBe(`  a ${"b".repeat(90)} c`);
    expect(lines.every((line) => line.length <= 98)).toBe(true);
    expect(lines.join("").replaceAll(" ", "")).toBe(`a${"b".repeat(90)}c${LONG}`);
    expect(wrap("", "  ")).toEqual([]);
  });
});

describe("reportText", () => {
  const long: BuildRecord = {
    ...COLD,
    tags: [LONG],
    parts: COLD.parts.map((part) => ({ ...part, id: `${part.id}${LONG}`, fragment: LONG, reason: LONG, seconds: 1e6 })),
  };

  it.each([
    ["first", COLD, undefined],
    ["edit", EDIT, COLD],
    ["warm", WARM, COLD],
    ["failed", FAILED, COLD],
    ["empty", EMPTY, undefined],
    ["hostile", HOSTILE, EDIT],
    ["long", long, COLD],
  ])("is under 100 columns wide and steers no terminal: the %s build", (_name, record, previous) => {
    const lines = text(record, previous).split("\n");
    expect(lines.filter((line) => line.length >= 100)).toEqual([]);
    expect(lines.filter((line) => /\p{Cc}|\u202e/u.test(line))).toEqual([]);
    expect(lines.join("\n")).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("begins with how it ended", () => {
    expect(text(EDIT, COLD).split("\n").slice(0, 3)).toEqual([
      "strata/postgresql:17-trixie",
      "Built 8 of 15 parts",
      "  468 MB, 1 min 18 s, 2026-11-21 16:21 UTC",
    ]);
    expect(text(FAILED)).toContain(
      "\nFailed at stage/setup-citus: build.sh ended with 2: icu.h not found\n  no image, ",
    );
    expect(text(COLD)).toContain("without setup-decoderbufs: its sources are not on this machine");
  });

  it("tells what changed, once for every reason", () => {
    const report = text(EDIT, COLD);
    expect(report).toContain(
      "  rebuilt  stage/setup-citus, component/setup-citus\n           option version 13.2.1 → 13.2.2\n",
    );
    expect(report).toMatch(/ {2}setup-citus +12\.4 MB {2}→ +12\.6 MB {2}\+204 kB/);
    expect(report).toMatch(/ {2}in all +468 MB {2}→ +468 MB {2}\+205 kB/);
    expect(text(COLD, EDIT)).toContain("-204 kB");
    expect(text(WARM, COLD)).toContain("Nothing changed.");
    expect(text(COLD)).toContain("No build before this one is on record.");
  });

  it("hangs every stage once below the first layer that it flows into", () => {
    expect(text(EDIT, COLD)).toMatch(
      / {2}component\/setup-citus +built +0\.6 s +12\.6 MB\n {2}└ stage\/setup-citus +built +1 min 14 s\n {4}└ stage\/setup-toolchain +cached\n/,
    );
    expect(text(COLD).match(/└ stage\/setup-toolchain/g)).toHaveLength(1);
  });

  it("still tells of a stage that no layer needs", () => {
    const parts = COLD.parts.filter(({ kind }) => kind === "build");
    expect(text({ ...COLD, parts })).toMatch(/\n {2}stage\/setup-citus +built/);
  });

  it("draws what ran side by side", () => {
    const [, timeline] = text(COLD).split("\nTimeline\n");
    const bars = timeline!.split("\n").filter((line) => line.includes("█") && /\/|metadata/.test(line));
    const start = (id: string): number => bars.find((line) => line.includes(id))!.indexOf("█");
    expect(start("stage/setup-toolchain")).toBe(start("setup/setup-base"));
    expect(start("stage/setup-citus")).toBe(start("stage/setup-pg-stat-monitor"));
    expect(start("component/setup-citus")).toBeGreaterThan(start("setup/setup-patroni"));
    expect(timeline).toContain("Up to 3 parts ran at one time: 3 min 51 s of work in 2 min 13 s.");
    expect(text(WARM)).toContain("  No part ran.\n  15 parts came from the cache.");
  });

  it("keeps the lane of a part whose time is not known empty", () => {
    const parts = COLD.parts.map(({ from: _from, to: _to, ...part }) => part);
    expect(text({ ...COLD, parts })).toMatch(/ {2}setup\/setup-base {60,} 13\.5 s/);
  });

  it("paints the states, and says the same every time", () => {
    expect(reportText(FAILED, COLD)).toContain("\u001b[31mFailed at stage/setup-citus");
    expect(reportText(EDIT, COLD)).toContain("\u001b[32m  └ stage/setup-citus");
    expect(reportText(EDIT, COLD)).toBe(reportText(structuredClone(EDIT), structuredClone(COLD)));
  });
});
