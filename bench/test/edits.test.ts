import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { draw, editClasses, freshRelease, kindsOf, random, replaced, version } from "../build/edits.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const files = execFileSync("git", ["ls-files"], { cwd: ROOT, encoding: "utf8" }).split("\n").filter(Boolean);
const component = { fragment: "setup-pg-stat-monitor", release: "2.3.2", sha256: "a".repeat(64) };
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

describe("edits", () => {
  it("change the files of this workspace, and once more when they are made again", () => {
    const all = [
      ...editClasses(component).flatMap(({ edit }) => edit ?? []),
      ...kindsOf(files, component).flatMap(({ edits }) => edits),
    ].filter(({ file }) => existsSync(join(ROOT, file)));
    expect(all.length).toBeGreaterThan(50);
    for (const { file, change } of all) {
      const once = change(read(file), { word: "one", number: 7_001 });
      expect(once, file).not.toBe(read(file));
      expect(change(once, { word: "two", number: 7_002 }), file).not.toBe(once);
    }
  });

  it("give a component a release of the same line, with the sum of its archive, in the first variant alone", () => {
    const { file, change } = version(component);
    const text = change(read(file), { word: "w", number: 41 });
    expect(text).toContain(`"setup-pg-stat-monitor": { version: "2.3.41", sha256: "${component.sha256}" }`);
    expect(text.match(/sha256: "a/g)).toHaveLength(1);
    expect(freshRelease("13.2.2", { word: "", number: 5 })).toBe("13.2.5");
  });

  it("say so where there is nothing to change", () => {
    expect(() => replaced("text", "other", "x")).toThrow("expected other in the file, found none");
  });

  it("know no release where no component is at hand", () => {
    expect(editClasses(undefined).map(({ name }) => name)).not.toContainEqual(expect.stringContaining("release"));
    expect(kindsOf(files, undefined).map(({ name }) => name)).not.toContain("release of a component");
  });
});

describe("a replay", () => {
  const kinds = kindsOf(files, component);
  const names = (seed: number): string[] =>
    draw(kinds, 50, random(seed)).map(({ kind, edit }) => `${kind} ${edit.file}`);

  it("is the same for the same seed, and another for another", () => {
    expect(names(4)).toEqual(names(4));
    expect(names(4)).not.toEqual(names(5));
  });

  it("edits mostly scripts, and seldom what costs minutes", () => {
    for (let seed = 0; seed < 200; seed++) {
      const drawn = draw(kinds, 50, random(seed)).map(({ kind }) => kind);
      const times = (pattern: RegExp): number => drawn.filter((kind) => pattern.test(kind)).length;
      expect(times(/in a script$/)).toBeGreaterThan(20);
      expect(times(/^release/)).toBeLessThanOrEqual(3);
      expect(times(/^package list/)).toBeLessThanOrEqual(3);
      expect(times(/first setup layer/)).toBeLessThanOrEqual(1);
    }
  });

  it("draws numbers from 0 to below 1, spread evenly", () => {
    const next = random(1);
    const drawn = Array.from({ length: 10_000 }, next);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
    expect(drawn.reduce((sum, value) => sum + value, 0) / drawn.length).toBeCloseTo(0.5, 1);
  });
});
