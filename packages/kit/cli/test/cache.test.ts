import type { Plan } from "@strata/assembler";
import { describe, expect, it } from "vitest";
import { cacheView, IMAGE_ROW } from "../src/commands/cache.js";
import { taskStates } from "../src/turbo.js";
import { strata, workspace } from "./helpers.js";

/** A plan of a component that is compiled and a script, whose digests are these. */
function planOf(digests: { version: string; script: string }): Plan {
  const part = (id: string, kind: string, fragment: string | null, digest: string) => ({
    ...{ id, kind, fragment, digest, dockerfile: id, files: {}, needs: [] },
  });
  return {
    image: "db",
    variant: "17",
    fragments: [
      { name: "thing", version: "1", summary: "", options: { version: digests.version } },
      { name: "script", version: "1", summary: "", options: {} },
      { name: "last", version: "1", summary: "", options: {} },
    ],
    stages: [part("build-thing", "build", "thing", digests.version)],
    layers: [
      part("base", "base", null, "b"),
      part("component/thing", "component", "thing", digests.version),
      { ...part("runtime/script", "runtime", "script", digests.script), files: { "/x.sh": `0755 ${digests.script}` } },
      part("runtime/last", "runtime", "last", "l"),
      part("metadata", "metadata", null, "m"),
    ],
  } as unknown as Plan;
}

const before = planOf({ version: "13.2.1", script: "a" });
const shown = (after: Plan, dialect: "portable" | "buildkit", old: Plan | undefined = before) =>
  Object.fromEntries(
    cacheView(after, old, dialect, "x", (name) => (name === "thing" ? "ran" : undefined)).rows.map((row) => [
      row.fragment,
      row.rebuilt.map(({ part, reason }) => `${part}: ${reason}`),
    ]),
  );

describe("cacheView", () => {
  it("names the option and both values for what is compiled anew, and what cannot stay behind it", () => {
    const after = planOf({ version: "13.2.2", script: "a" });
    const thing = ["stage/thing: option version 13.2.1 → 13.2.2", "component/thing: option version 13.2.1 → 13.2.2"];
    expect(shown(after, "buildkit")).toEqual({ thing, script: [], last: [], [IMAGE_ROW]: [] });
    expect(shown(after, "portable")).toEqual({
      thing,
      script: ["runtime/script: a layer before it changed: component/thing"],
      last: ["runtime/last: a layer before it changed: component/thing"],
      [IMAGE_ROW]: [],
    });
  });

  it("names the file of an edit", () => {
    expect(shown(planOf({ version: "13.2.1", script: "b" }), "buildkit").script).toEqual([
      "runtime/script: /x.sh changed",
    ]);
  });

  it("says that there is no build yet", () => {
    const rows = cacheView(before, undefined, "portable", undefined, () => undefined).rows;
    expect(rows.flatMap(({ rebuilt }) => rebuilt.map(({ reason }) => reason))).toEqual(
      Array(6).fill("there is no build yet"),
    );
  });

  it("has Turbo's side beside it, where there is one", () => {
    const { rows } = cacheView(before, before, "portable", "x", (name) => (name === "thing" ? "ran" : undefined));
    expect(rows[0]).toEqual({ fragment: "thing", turbo: "ran", rebuilt: [] });
    expect(rows[1]).toEqual({ fragment: "script", rebuilt: [] });
  });
});

describe("taskStates", () => {
  it("tells hits from what ran, and leaves out tasks without a command", () => {
    const task = (taskId: string, status: string, command = "x") => ({ taskId, command, cache: { status } });
    const tasks = [task("a#build", "HIT"), task("b#build", "MISS"), task("c#build", "MISS", "<NONEXISTENT>")];
    expect([...taskStates(JSON.stringify({ tasks }))]).toEqual([
      ["a#build", "hit"],
      ["b#build", "ran"],
    ]);
  });
});

describe.concurrent("strata cache", () => {
  it("works without Turbo, and before any build", async () => {
    const { code, stderr } = await strata(await workspace("alpha"), ["cache", "17-trixie"]);
    expect(code).toBe(0);
    expect(stderr).toContain("alpha 17-trixie, never built here, portable dialect");
    expect(stderr).toMatch(/^part +- +setup\/part +there is no build yet$/m);
  });

  it("refuses a commit that nobody knows", async () => {
    const { code, stderr } = await strata(await workspace("alpha"), ["cache", "--since", "nowhere"], {
      PATH: process.env.PATH!,
    });
    expect(code).toBe(1);
    expect(stderr).toContain("strata: commit nowhere: git does not know it in this repository");
  });
});
