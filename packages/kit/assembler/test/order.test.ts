import { Problems } from "@strata/fragment";
import { describe, expect, it } from "vitest";
import { order } from "../src/order.js";
import { dice, shuffled } from "./helpers.js";

interface Node {
  readonly name: string;
  readonly dependsOn: string[];
  readonly installsAfter: string[];
  readonly conflictsWith: string[];
}

const node = (name: string, dependsOn: string[] = [], more: Partial<Node> = {}): Node => ({
  name,
  dependsOn,
  installsAfter: [],
  conflictsWith: [],
  ...more,
});

/** Names in order, and what was wrong. */
function ordered(nodes: readonly Node[]): { names: string[]; problems: string[] } {
  const problems = new Problems();
  const names = order(nodes, problems).map(({ name }) => name);
  return {
    names,
    problems: problems.list.map(({ subject, message, fix }) => `${subject} ${message} → ${fix}`),
  };
}

describe("order", () => {
  it("puts what one depends on before it, ties by name", () => {
    expect(ordered([node("d", ["b"]), node("c"), node("b", ["a"]), node("a")])).toEqual({
      names: ["a", "b", "c", "d"],
      problems: [],
    });
    expect(ordered([node("a", ["z"]), node("m"), node("z")]).names).toEqual(["m", "z", "a"]);
  });

  it("minds installsAfter where the other is there, and forgets it where it is not", () => {
    const after = node("a", [], { installsAfter: ["b", "absent"] });
    expect(ordered([after, node("b")])).toEqual({ names: ["b", "a"], problems: [] });
    expect(ordered([after])).toEqual({ names: ["a"], problems: [] });
  });

  it("names a fragment that is missing, who needs it and what to do", () => {
    const { problems } = ordered([node("postgresql", ["setup-postgresql"])]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("fragment postgresql depends on setup-postgresql, which is not in the image");
    expect(problems[0]).toContain("add setup-postgresql to the image's fragments");
  });

  it("does not tell to choose among the fragments that are there for one that is missing", () => {
    expect(ordered([node("postgresql", ["setup-base"])]).problems[0]).not.toContain("choose one of");
  });

  it("says how a name that was mistyped is spelt", () => {
    const { problems } = ordered([node("a", ["setup-bse"]), node("setup-base")]);
    expect(problems[0]).toContain('did you mean "setup-base"?');
  });

  it("names both of a conflict", () => {
    expect(ordered([node("a", [], { conflictsWith: ["b", "absent"] }), node("b")]).problems).toEqual([
      "fragment a conflicts with b, and both are in the image → take one of the two out",
    ]);
  });

  it("names a fragment that is there twice", () => {
    expect(ordered([node("a"), node("a")]).problems).toEqual([
      "fragment a is in the image twice → name each fragment once",
    ]);
  });

  it("names the whole circle and nothing else", () => {
    const nodes = [node("a", ["b"]), node("b", ["c"]), node("c", ["a"]), node("d", ["a"]), node("e")];
    expect(ordered(nodes).problems).toEqual([
      "fragments a → b → c → a depend on one another in a circle → take one dependsOn or installsAfter of the circle away",
    ]);
  });

  it("finds a circle that goes through a soft relation, and one of a fragment with itself", () => {
    expect(ordered([node("a", ["b"]), node("b", [], { installsAfter: ["a"] })]).problems[0]).toContain("a → b → a");
    expect(ordered([node("a", ["a"])]).problems[0]).toContain("a → a");
  });

  it("tells everything that is wrong at once", () => {
    const { problems } = ordered([
      node("a", ["missing-one"], { conflictsWith: ["b"] }),
      node("b", ["c"]),
      node("c", ["b"]),
    ]);
    expect(problems).toHaveLength(3);
  });

  it("orders any graph without a circle rightly, and the same whatever order it is given in", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const roll = dice(seed);
      const names = shuffled(
        Array.from({ length: 2 + roll(9) }, (_, index) => `n${index}`),
        roll,
      );
      // Relations go to earlier ones alone, so there is no circle.
      const nodes = names.map((name, index) => {
        const earlier = names.slice(0, index);
        return node(
          name,
          earlier.filter(() => roll(4) === 0),
          { installsAfter: earlier.filter(() => roll(5) === 0) },
        );
      });
      const first = ordered(nodes);
      expect(first.problems).toEqual([]);
      expect([...first.names].sort()).toEqual([...names].sort());
      const at = (name: string): number => first.names.indexOf(name);
      for (const { name, dependsOn, installsAfter } of nodes)
        for (const before of [...dependsOn, ...installsAfter]) expect(at(before)).toBeLessThan(at(name));
      // Ties by name: a neighbour may only stand before a smaller name when that one had to wait for it.
      for (const [index, name] of first.names.slice(1).entries()) {
        const before = first.names[index]!;
        const own = nodes.find((one) => one.name === name)!;
        if (name < before) expect([...own.dependsOn, ...own.installsAfter]).toContain(before);
      }
      expect(ordered(shuffled(nodes, roll))).toEqual(first);
    }
  });
});
