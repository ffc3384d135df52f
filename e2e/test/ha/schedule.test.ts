import { describe, expect, it } from "vitest";
import { Random } from "../law/random.js";
import { endless, storm } from "./schedule.js";

const TARGETS = [
  { kind: "kill", nodes: ["pg1", "pg2", "pg3"] },
  { kind: "pause", nodes: ["etcd1", "etcd2"] },
];

/** The first few of an endless list. */
const take = <T>(list: Generator<T>, count: number): T[] => Array.from({ length: count }, () => list.next().value);

describe("endless", () => {
  it("brings every kind once before any comes again", () => {
    const list = take(endless(new Random(7), ["a", "b", "c"]), 9);
    for (const from of [0, 3, 6]) expect(list.slice(from, from + 3).sort()).toEqual(["a", "b", "c"]);
  });

  it("is repeated by its seed", () => {
    expect(take(endless(new Random(7), [1, 2, 3, 4, 5]), 20)).toEqual(
      take(endless(new Random(7), [1, 2, 3, 4, 5]), 20),
    );
  });

  it("refuses to go on without kinds", () => {
    expect(() => endless(new Random(7), []).next()).toThrow("expected kinds of failure, found none");
  });
});

describe("storm", () => {
  const seeds = Array.from({ length: 50 }, (_, seed) => seed);

  it("is over in time, and hits no node again before it was healed", () => {
    for (const seed of seeds) {
      const blows = storm(new Random(seed), TARGETS, 30);
      expect(blows.length).toBeGreaterThan(3);
      for (const [index, { at, until, node }] of blows.entries()) {
        expect(until).toBeGreaterThan(at);
        expect(until).toBeLessThanOrEqual(30);
        for (const other of blows.slice(index + 1).filter((blow) => blow.node === node))
          expect(other.at, `seed ${seed}`).toBeGreaterThan(until);
      }
    }
  });

  it("breaks several nodes at once", () => {
    const together = seeds.filter((seed) => {
      const blows = storm(new Random(seed), TARGETS, 30);
      return blows.some(({ until }, index) => (blows[index + 1]?.at ?? 30) < until);
    });
    expect(together.length).toBeGreaterThan(40);
  });

  it("is repeated by its seed", () => {
    expect(storm(new Random(3), TARGETS, 60)).toEqual(storm(new Random(3), TARGETS, 60));
  });
});
