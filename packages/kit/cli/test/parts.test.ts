import { describe, expect, it } from "vitest";
import { partsOf, recordParts } from "../src/parts.js";

const plan = {
  stages: [],
  layers: [
    { id: "base", kind: "base", fragment: null, dockerfile: "FROM x AS final" },
    { id: "setup/s", kind: "setup", fragment: "s", dockerfile: "RUN s" },
    { id: "runtime/a", kind: "runtime", fragment: "a", dockerfile: "ADD a.tar /\nEXPOSE 1" },
    { id: "runtime/b", kind: "runtime", fragment: "b", dockerfile: "ADD b.tar /" },
  ],
} as unknown as Parameters<typeof partsOf>[0];

/** What is recorded where the engine says that it built everything, by part: its state. */
function states(dialect: "portable" | "buildkit", digests: readonly string[] | undefined, earlier: readonly string[]) {
  const parts = partsOf(plan, new Set(), dialect);
  const reports = parts.map(({ id }) => ({ id, state: id === "base" ? "cached" : "built", seconds: 1 }) as const);
  const before = recordParts(parts, reports, undefined, new Map(), { digests: earlier, before: [] });
  const now = recordParts(parts, reports, undefined, new Map(), digests && { digests, before });
  return Object.fromEntries(now.map(({ id, state }) => [id, state]));
}

const built = { base: "cached", "setup/s": "built", "runtime/a": "built", "runtime/b": "built" };

describe("recordParts", () => {
  it("counts a linked layer that is what it was as cached: the engine only joined it to others below", () => {
    expect(states("buildkit", ["base", "s2", "a", "b2"], ["base", "s", "a", "b"])).toEqual({
      ...built,
      "runtime/a": "cached",
    });
  });

  it("believes the engine where layers are not linked, or not known", () => {
    expect(states("portable", ["base", "s2", "a", "b"], ["base", "s", "a", "b"])).toEqual(built);
    expect(states("buildkit", undefined, ["base", "s", "a", "b"])).toEqual(built);
    expect(states("buildkit", ["a", "b"], ["a", "b"])).toEqual(built);
  });

  it("names the layers of each part, and gives none of them a time or a reason that was not built", () => {
    const parts = partsOf(plan, new Set(), "buildkit");
    const reports = [{ id: "runtime/a", state: "built", seconds: 2, from: 1, to: 3 } as const];
    const layers = { digests: ["base", "s", "a", "b"], before: [] };
    const first = recordParts(parts, reports, undefined, new Map(), layers);
    expect(first[2]).toMatchObject({ id: "runtime/a", state: "built", seconds: 2, layers: ["a"] });
    const second = recordParts(parts, reports, undefined, new Map(), { ...layers, before: first });
    expect(second[2]).toEqual({
      id: "runtime/a",
      kind: "runtime",
      fragment: "a",
      state: "cached",
      seconds: 0,
      layers: ["a"],
      needs: [],
    });
  });

  it("counts a stage that only unpacks as cached where its layer was, and as built where that was", () => {
    const components = {
      stages: [{ id: "stage-c", kind: "build", fragment: "c", dockerfile: "FROM x AS stage-c\nRUN c", needs: [] }],
      layers: [{ id: "component/c", kind: "component", fragment: "c", dockerfile: "COPY --from=stage-c /out /" }],
    } as unknown as Parameters<typeof partsOf>[0];
    const stateOf = (unpacked: string[], layer: "built" | "cached") => {
      const parts = partsOf(components, new Set(unpacked), "portable");
      const reports = [
        { id: "stage/c", state: "built", seconds: 1 } as const,
        { id: "component/c", state: layer, seconds: 1 } as const,
      ];
      return recordParts(parts, reports, undefined, new Map())[0]?.state;
    };
    expect(stateOf(["c"], "cached")).toBe("cached");
    expect(stateOf(["c"], "built")).toBe("built");
    expect(stateOf([], "cached")).toBe("built");
  });
});
