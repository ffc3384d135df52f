import { describe, expect, it } from "vitest";
import type { Fates } from "./checker.js";
import type { Write } from "./history.js";
import { complaints, results, summary } from "./report.js";
import { scenarioOf } from "./scenarios.js";
import type { Outcome } from "./session.js";

const FATES: Fates = { acknowledged: 90, refused: 3, unknown: { present: 1, absent: 2 }, lost: [], strange: [] };
const outcome = (name: string, silence: number, more: Partial<Outcome> = {}): Outcome => ({
  ...{ round: 1, scenario: scenarioOf(name), from: 0, to: 1, leaders: ["pg1", "pg2"], failovers: 1, silence },
  ...{ fates: FATES, succession: { stale: [], late: 0 }, overlaps: [], faults: [] },
  ...more,
});
const write = (server: string, timeline: number, ended: number): Write => ({
  ...{ writer: "4/proxy1", sequence: 7, began: ended - 1, ended, fate: "acknowledged", server, timeline },
});

describe("complaints", () => {
  it("says of a lost row when and by whom it was acknowledged, and of a stale primary who was first", () => {
    const [old, newer] = [write("pg1", 1, 2_000), write("pg2", 2, 1_000)];
    const fates: Fates = { ...FATES, lost: [{ write: old, missingOn: ["pg2", "pg3"] }], strange: ["a#1 is odd"] };
    expect(complaints(fates, { stale: [{ old, newer }], late: 0 })).toEqual([
      "lost: row 7 of writer 4/proxy1, acknowledged by pg1 on timeline 1 at 2.0 s, is missing on pg2, pg3",
      "strange: a#1 is odd",
      "two primaries: pg1 acknowledged on timeline 1 a commit begun at 2.0 s, after pg2 had on timeline 2 at 1.0 s",
    ]);
    expect(complaints(FATES, { stale: [], late: 3 })).toEqual([]);
  });
});

describe("summary", () => {
  it("is one line with all that happened", () => {
    const overlaps: Outcome["overlaps"] = [{ nodes: ["pg1", "pg2"], from: 0, milliseconds: 20.4 }];
    expect(summary(outcome("pause", 12.34, { overlaps, faults: ["the log is odd"] }))).toBe(
      "round 1: pause of the primary's container; leader pg1 to pg2, 1 failover; 12.3 s without writes; " +
        "90 acknowledged, 0 lost, 3 refused; 3 unknown (1 there); two out of recovery for 20 ms; FAULT: the log is odd",
    );
  });
});

describe("results", () => {
  it("has a line for each kind of failure and one for all", () => {
    const lines = results([outcome("stop", 2), outcome("pause", 12), outcome("stop", 3)]).split("\n");
    const cells = lines.map((line) => line.split("|").map((cell) => cell.trim()));
    expect(cells.slice(2).map(([, name, ...rest]) => [name?.slice(0, 7), ...rest.slice(0, 5)])).toEqual([
      ["SIGTERM", "2", "2", "2.5 / 3.0", "180", "0"],
      ["pause o", "1", "1", "12.0 / 12.0", "90", "0"],
      ["all", "3", "3", "3.0 / 12.0", "270", "0"],
    ]);
  });
});
