import { describe, expect, it } from "vitest";
import { between, type Look, type Recorded, type Write } from "./history.js";
import { bins, place, segments, tickStep } from "./lanes.js";
import { picture } from "./picture.js";

const look = (node: string, at: number, role: Look["role"], timeline?: number): Look => ({
  node,
  asked: at,
  answered: at + 10,
  role,
  ...(timeline === undefined ? {} : { timeline }),
});
const write = (ended: number, fate: Write["fate"]): Write => ({
  writer: "a",
  sequence: ended,
  began: ended - 1,
  ended,
  fate,
});

const RECORD: Recorded = {
  looks: [
    look("pg1", 0, "leader", 1),
    look("pg2", 0, "follower", 1),
    look("pg1", 200, "none"),
    look("pg2", 300, "leader", 2),
    look("etcd1", 0, "leader"),
  ],
  writes: [write(50, "acknowledged"), write(250, "refused"), write(260, "unknown"), write(900, "acknowledged")],
  marks: [
    { at: 150, kind: "failure", label: "kill <pg1> & wait" },
    { at: 800, kind: "heal", label: "started again" },
  ],
};
const FRAME = { title: "a run", subtitle: "seed 1", from: 0, to: 1_000, servers: ["pg1", "pg2"], stores: ["etcd1"] };

describe("segments", () => {
  it("joins looks that say the same, and leaves no gap", () => {
    expect(segments([look("pg1", 100, "leader", 1), ...RECORD.looks], ["pg1", "pg2"], 0, 1_000)).toEqual(
      new Map([
        [
          "pg1",
          [
            { from: 0, to: 200, role: "leader", timeline: 1 },
            { from: 200, to: 1_000, role: "none", timeline: undefined },
          ],
        ],
        [
          "pg2",
          [
            { from: 0, to: 310, role: "follower", timeline: 1 },
            { from: 310, to: 1_000, role: "leader", timeline: 2 },
          ],
        ],
      ]),
    );
  });

  it("gives a node that nobody asked no segment", () => {
    expect(segments(RECORD.looks, ["pg9"], 0, 1_000).get("pg9")).toEqual([]);
  });
});

describe("bins", () => {
  it("counts the writes of each fate by stretches of time, and leaves out what lies outside", () => {
    const list = bins([...RECORD.writes, write(5_000, "refused")], 0, 1_000, 200);
    expect(list.map(({ acknowledged, refused, unknown }) => [acknowledged, refused, unknown])).toEqual([
      [1, 0, 0],
      [0, 1, 1],
      [0, 0, 0],
      [0, 0, 0],
      [1, 0, 0],
    ]);
  });
});

describe("tickStep", () => {
  it("is the first round number of seconds that is wide enough", () => {
    expect([40, 20, 5, 0.01].map((scale) => tickStep(scale, 60))).toEqual([2, 5, 15, 3_600]);
  });
});

describe("place", () => {
  it("puts a label into the first row with room", () => {
    const labels = [
      { x: 0, width: 50 },
      { x: 10, width: 50 },
      { x: 59, width: 10 },
      { x: 60, width: 10 },
    ];
    expect(place(labels).map(({ row }) => row)).toEqual([0, 1, 0, 2]);
  });
});

describe("between", () => {
  it("takes what ended between two moments", () => {
    const part = between(RECORD, 200, 900);
    expect(part.writes.map(({ ended }) => ended)).toEqual([250, 260]);
    expect(part.looks.map(({ answered }) => answered)).toEqual([210, 310]);
    expect(part.marks.map(({ at }) => at)).toEqual([800]);
  });
});

describe("picture", () => {
  const svg = picture(RECORD, FRAME);

  it("shows who was leader when, the writes by fate, and what was done", () => {
    for (const told of ["pg1: leader, timeline 1, 0.2 s", "pg2: leader, timeline 2, 0.7 s", "pg2: replica, timeline 1"])
      expect(svg).toContain(told);
    for (const fate of ["acknowledged", "refused", "unknown"]) expect(svg).toContain(`<title>1 ${fate}</title>`);
    expect(svg).toContain(">started again</text>");
    expect(svg).toContain("prefers-color-scheme: dark");
  });

  it("escapes what is not its own, so it is well-formed, and asks for nothing outside", () => {
    expect(svg).toContain("kill &lt;pg1&gt; &amp; wait");
    expect(svg).not.toMatch(/href|url\(|NaN|undefined/);
    const opened = svg.match(/<(text|title|style|svg)\b/g)?.length;
    expect(svg.match(/<\/(text|title|style|svg)>/g)?.length).toBe(opened);
  });

  it("is wide enough for an hour, and small enough to be opened", () => {
    const hour = picture({ ...RECORD, looks: [], writes: [] }, { ...FRAME, to: 3_600_000 });
    const width = Number(/width="(\d+)/.exec(hour)?.[1]);
    expect(width).toBeGreaterThan(3_600);
    expect(width).toBeLessThan(32_767);
  });
});
