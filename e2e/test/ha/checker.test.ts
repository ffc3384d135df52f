import { describe, expect, it } from "vitest";
import { compare, longestSilence, overlaps, type Row, succession, takeovers } from "./checker.js";
import type { Look, Write } from "./history.js";

/** A write that took 2 ms and was acknowledged, unless said otherwise. */
const write = (sequence: number, ended: number, more: Partial<Write> = {}): Write => ({
  writer: "a",
  sequence,
  began: ended - 2,
  ended,
  fate: "acknowledged",
  ...more,
});
const rows = (...numbers: number[]): Row[] => numbers.map((sequence) => ["a", sequence]);
const on = (lists: Record<string, Row[]>): Map<string, Row[]> => new Map(Object.entries(lists));

describe("compare", () => {
  it("finds nothing where every acknowledged row is on every node", () => {
    const fates = compare([write(1, 10), write(2, 20)], on({ pg1: rows(1, 2), pg2: rows(2, 1) }));
    expect(fates).toEqual({ acknowledged: 2, refused: 0, unknown: { present: 0, absent: 0 }, lost: [], strange: [] });
  });

  it("names an acknowledged row that is missing, and where", () => {
    const { lost } = compare([write(1, 10), write(2, 20)], on({ pg1: rows(1, 2), pg2: rows(1), pg3: rows() }));
    expect(lost.map(({ write: { sequence }, missingOn }) => [sequence, missingOn])).toEqual([
      [1, ["pg3"]],
      [2, ["pg2", "pg3"]],
    ]);
  });

  it("counts rows of unknown fate, there or not, and calls neither lost", () => {
    const writes = [write(1, 10, { fate: "unknown" }), write(2, 20, { fate: "unknown" })];
    const fates = compare(writes, on({ pg1: rows(2), pg2: rows(2) }));
    expect(fates).toMatchObject({ unknown: { present: 1, absent: 1 }, lost: [], strange: [] });
  });

  it("finds it strange when nodes disagree about a row of unknown fate", () => {
    const { strange } = compare([write(1, 10, { fate: "unknown" })], on({ pg1: rows(1), pg2: rows() }));
    expect(strange).toEqual(["a#1, of unknown fate, is missing on pg2 alone"]);
  });

  it("finds it strange when a row is there twice, was refused, or was written by nobody", () => {
    const writes = [write(1, 10), write(2, 20, { fate: "refused", reason: "read only" })];
    const { strange, refused } = compare(writes, on({ pg1: rows(1, 1, 2, 3) }));
    expect(refused).toBe(1);
    expect(strange).toEqual([
      "a#1 is on pg1 more than once",
      "a#2 is on pg1, and was refused: read only",
      "a#3 is on pg1, and nobody wrote it",
    ]);
  });

  it("tells writers with the same numbers apart", () => {
    const { lost } = compare([write(1, 10), write(1, 10, { writer: "b" })], on({ pg1: rows(1) }));
    expect(lost.map(({ write: { writer } }) => writer)).toEqual(["b"]);
  });

  it("refuses to judge without rows of a node", () => {
    expect(() => compare([write(1, 10)], new Map())).toThrow("expected the rows of one node at least");
  });
});

describe("succession", () => {
  const one = (ended: number, more: Partial<Write> = {}): Write => write(ended, ended, { timeline: 1, ...more });
  const two = (ended: number, more: Partial<Write> = {}): Write => write(ended, ended, { timeline: 2, ...more });

  it("finds nothing where one timeline follows the other", () => {
    expect(succession([one(10), one(20), two(30), two(40)])).toEqual({ stale: [], late: 0 });
  });

  it("finds a commit that was begun on the old timeline after the new one had answered", () => {
    const [newer, old] = [two(30), one(40)];
    expect(succession([one(10), newer, old, two(50)])).toEqual({ stale: [{ old, newer }], late: 0 });
  });

  it("counts one that was begun before, and answered after, as late: it may have been committed before", () => {
    expect(succession([two(30), one(40, { began: 25 })])).toEqual({ stale: [], late: 1 });
  });

  it("compares with the earliest answer of any newer timeline, in whatever order they were recorded", () => {
    const [newer, old] = [write(9, 35, { timeline: 4 }), one(40)];
    expect(succession([two(50, { began: 34 }), old, newer]).stale).toEqual([{ old, newer }]);
  });

  it("minds acknowledged commits alone", () => {
    expect(succession([two(30), one(40, { fate: "unknown" }), one(50, { fate: "refused" })]).stale).toEqual([]);
  });
});

describe("overlaps", () => {
  const look = (node: string, asked: number, role: Look["role"], timeline?: number): Look => ({
    node,
    asked,
    answered: asked + 1,
    role,
    ...(timeline === undefined ? {} : { timeline }),
  });

  it("gives the time during which two servers certainly were out of recovery", () => {
    const looks = [
      ...[0, 100, 200, 300].map((at) => look("pg1", at, "leader", 1)),
      ...[50, 150].map((at) => look("pg2", at, "follower", 1)),
      ...[220, 280, 400].map((at) => look("pg2", at, "leader", 2)),
    ];
    expect(overlaps(looks)).toEqual([{ nodes: ["pg1", "pg2"], from: 221, milliseconds: 79 }]);
  });

  it("bridges no time without an answer: a paused server is no primary", () => {
    const looks = [
      ...[0, 100].map((at) => look("pg1", at, "leader", 1)),
      look("pg1", 200, "none"),
      ...[300, 400, 500].map((at) => look("pg2", at, "leader", 2)),
      look("pg1", 600, "leader", 1),
      look("pg1", 700, "follower"),
    ];
    expect(overlaps(looks)).toEqual([]);
  });

  it("knows a node that leads again for the same one", () => {
    expect(overlaps([look("pg1", 0, "leader", 1), look("pg1", 50, "leader", 2), look("pg1", 90, "leader", 2)])).toEqual(
      [],
    );
  });

  it("leaves out leaders without a timeline: those of etcd", () => {
    const looks = [0, 100].flatMap((at) => [look("etcd1", at, "leader"), look("etcd2", at, "leader")]);
    expect(overlaps(looks)).toEqual([]);
  });
});

describe("takeovers", () => {
  const look = (node: string, timeline: number | undefined, role: Look["role"] = "leader"): Look => ({
    ...{ node, asked: 0, answered: 0, role },
    ...(timeline === undefined ? {} : { timeline }),
  });

  it("counts the timelines that another server began", () => {
    const looks = [look("pg1", 1), look("pg2", 1, "follower"), look("pg2", 2), look("pg1", 3), look("pg1", 3)];
    expect(takeovers(looks)).toBe(2);
  });

  it("counts neither a server that is promoted again, nor a stale one that comes back", () => {
    expect(takeovers([look("pg1", 1), look("pg1", 2), look("pg2", 3), look("pg1", 2), look("etcd1", undefined)])).toBe(
      1,
    );
  });
});

describe("longestSilence", () => {
  it("gives the longest time without an acknowledged write, ends included", () => {
    const writes = [write(1, 1_000), write(2, 1_500), write(3, 1_900, { fate: "refused" }), write(4, 4_000)];
    expect(longestSilence(writes, 500, 4_500)).toBe(2.5);
    expect(longestSilence(writes, 0, 10_000)).toBe(6);
    expect(longestSilence([], 0, 3_000)).toBe(3);
  });
});
