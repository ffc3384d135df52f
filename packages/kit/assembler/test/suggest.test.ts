import { describe, expect, it } from "vitest";
import { pick, suggestion } from "../src/suggest.js";
import { problemsOf } from "./helpers.js";

describe("suggestion", () => {
  it.each([
    ["postgresq", ["postgresql", "etcd"], 'did you mean "postgresql"?'],
    ["17", ["17-trixie", "15-bookworm"], 'did you mean "17-trixie"?'],
    ["majr", ["major", "channel"], 'did you mean "major"?'],
    ["x", ["a", "b"], 'did you mean "a"?'],
  ])("gives the nearest name for %j", (name, names, expected) => {
    expect(suggestion(name, names)).toBe(expected);
  });

  it("lists what there is when nothing is near", () => {
    expect(suggestion("kubernetes", ["postgresql", "etcd"])).toBe("choose one of etcd, postgresql");
  });

  it("says that there is nothing to choose from", () => {
    expect(suggestion("anything", [])).toBe("there are none");
  });
});

describe("pick", () => {
  it("gives the entry of that name", () => {
    expect(pick("image", "a", { a: 1 }, "image")).toBe(1);
  });

  it("names the thing, what is known and the nearest name when there is none", async () => {
    const text = await problemsOf(() =>
      pick("image", "postgres", { postgresql: 1, etcd: 2 }, "image of this workspace"),
    );
    expect(text).toBe(
      'image postgres: unknown image of this workspace; known: etcd, postgresql\n  → did you mean "postgresql"?',
    );
  });

  it("does not take what every object has for an entry", async () => {
    expect(await problemsOf(() => pick("image", "constructor", { a: 1 }, "image"))).toContain("unknown image");
  });
});
