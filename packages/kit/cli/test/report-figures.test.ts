import { describe, expect, it } from "vitest";
import { changesSince, nothingChanged } from "../src/report/changes.js";
import { lanes, outcome, parallel, sizesByFragment, ticks } from "../src/report/figures.js";
import { bytesText, differenceText, shareText, shortDigest, spanText, timeText } from "../src/report/format.js";
import { COLD, change, EDIT, FAILED, WARM } from "./report-example.js";

describe("numbers", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [12_944, "12.9 kB"],
    [999_600, "1.0 MB"],
    [300_441_020, "300 MB"],
    [4_200_000_000, "4.2 GB"],
  ])("%d bytes", (bytes, text) => expect(bytesText(bytes)).toBe(text));

  it.each([
    [0, "0.0 s"],
    [0.01, "< 0.1 s"],
    [59.9, "59.9 s"],
    [59.96, "1 min 0 s"],
    [153, "2 min 33 s"],
    [3599.6, "1 h 0 min"],
    [3900, "1 h 5 min"],
  ])("%d seconds", (seconds, text) => expect(spanText(seconds)).toBe(text));

  it("have a sign where they are a difference", () => {
    expect([differenceText(2_000), differenceText(-2_000), differenceText(0)]).toEqual([
      "+2.0 kB",
      "−2.0 kB",
      "no difference",
    ]);
  });

  it("are shares of something", () => {
    expect([shareText(1, 4), shareText(1, 1000), shareText(0, 4), shareText(1, 0)]).toEqual([
      "25 %",
      "< 1 %",
      "0 %",
      "0 %",
    ]);
  });

  it("are told as times and digests", () => {
    expect(timeText("2026-11-21T16:02:11.000Z")).toBe("2026-11-21 16:02 UTC");
    expect(timeText("yesterday")).toBe("yesterday");
    expect(shortDigest(`sha256:${"ab".repeat(32)}`)).toBe("sha256:abababababab");
    expect(shortDigest("none")).toBe("none");
  });
});

describe("figures", () => {
  it("tell how a build ended", () => {
    expect(outcome(COLD).text).toBe("Built 14 of 15 parts");
    expect(outcome(WARM)).toEqual({ state: "cached", text: "Nothing had to be built" });
    expect(outcome(FAILED).text).toBe("Failed at stage/setup-citus: build.sh ended with 2: icu.h not found");
    const stopped = change(FAILED, ({ state }) => (state === "failed" ? { state: "cached" } : undefined));
    expect(outcome({ ...FAILED, parts: stopped }).text).toBe("Stopped before setup/setup-patroni");
    expect(outcome({ ...COLD, parts: change(COLD, () => ({ state: "built" })) }).text).toBe("Every part was built");
  });

  it("add up the layers of a fragment and leave out what takes no room", () => {
    const twice = COLD.parts.map((part) => (part.id === "runtime/pgbackrest" ? { ...part, fragment: "base" } : part));
    const sizes = sizesByFragment({ ...COLD, parts: twice });
    expect(sizes.map(({ name }) => name)).not.toContain("metadata");
    expect(sizes[0]).toEqual({ name: "base", kind: "base", bytes: 78_214_300 + 17_385 });
  });

  it("tell what ran side by side", () => {
    expect(parallel(COLD).most).toBe(3);
    expect(parallel(COLD).span).toBeCloseTo(132.9);
    expect(parallel(EDIT).most).toBe(1);
    expect(parallel(WARM)).toEqual({ work: 0, span: 0, most: 0 });
  });

  it("put a part whose time is not known last", () => {
    const parts = COLD.parts.map(({ from, ...part }) =>
      part.id === "setup/setup-base" || from === undefined ? part : { ...part, from },
    );
    expect(lanes({ ...COLD, parts }).at(-1)).toEqual({ part: expect.objectContaining({ id: "setup/setup-base" }) });
  });

  it.each([0, 0.07, 0.9, 12, 136.4, 4_000, 90_000])("mark round moments up to %d s", (end) => {
    const marks = ticks(end);
    expect(marks[0]).toBe(0);
    expect(marks.length).toBeLessThanOrEqual(6);
    expect(Math.max(...marks)).toBeLessThanOrEqual(end);
  });
});

describe("changes", () => {
  it("group the parts that were built again for one reason, and compare sizes", () => {
    const { changes, sizes, image } = changesSince(EDIT, COLD);
    expect(changes.map(({ what, names, reason }) => `${what} ${names.length}: ${reason}`)).toEqual([
      "rebuilt 2: option version 13.2.1 → 13.2.2",
      "rebuilt 6: a layer before it changed: component/setup-citus",
    ]);
    expect(sizes.map(({ name, before, now }) => [name, now - before])).toEqual([
      ["setup-citus", 204_488],
      ["entrypoint", 272],
    ]);
    expect(image).toEqual({ name: "image", before: COLD.size, now: EDIT.size });
  });

  it("are none where nothing is different", () => {
    expect(nothingChanged(changesSince(WARM, COLD))).toBe(true);
    expect(nothingChanged(changesSince(EDIT, COLD))).toBe(false);
  });

  it("tell of parts that are new and gone, and why a fragment was left out", () => {
    const without = [{ fragment: "setup-citus", reason: "no source" }];
    const fewer = { ...WARM, without, parts: WARM.parts.filter(({ fragment }) => fragment !== "setup-citus") };
    expect(changesSince(fewer, COLD).changes).toEqual([
      { what: "gone", names: ["stage/setup-citus", "component/setup-citus"], reason: "left out: no source" },
    ]);
    expect(changesSince(WARM, fewer).changes).toEqual([
      { what: "new", names: ["stage/setup-citus", "component/setup-citus"] },
    ]);
  });

  it("tell of another base, engine and dialect", () => {
    const engine = { ...COLD.engine, server: "Podman 5.4", dialect: "buildkit" as const };
    const found = changesSince({ ...WARM, engine, base: { ...COLD.base, digest: "sha256:0" } }, COLD).changes;
    expect(found.map(({ names, reason }) => `${names}: ${reason}`)).toEqual([
      "digest of the base: sha256:4f2a91c07be3 → sha256:0",
      "engine: Docker Engine 20.10.24 → Podman 5.4",
      "dialect: portable → buildkit",
    ]);
  });

  it("compare no sizes with a build that made no image", () => {
    expect(changesSince(FAILED, COLD)).not.toHaveProperty("image");
    expect(changesSince(COLD, FAILED).sizes).toEqual([]);
    expect(changesSince(FAILED, COLD).changes).toContainEqual({
      what: "failed",
      names: ["stage/setup-citus"],
      reason: "build.sh ended with 2: icu.h not found",
    });
  });
});
