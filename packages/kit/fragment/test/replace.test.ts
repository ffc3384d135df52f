import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { replaceFolder } from "../src/replace.js";
import { scratch, write } from "./helpers.js";

/** What was removed, and which renames fail: the only way to look into the moment of the swap. */
let removed: string[] = [];
let refuse: (from: string, to: string) => boolean = () => false;

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return {
    ...real,
    rm: (path: string, options: object) => {
      removed.push(path);
      return real.rm(path, options);
    },
    rename: async (from: string, to: string) => {
      if (refuse(from, to)) throw new Error("no rename");
      return real.rename(from, to);
    },
  };
});

beforeEach(() => {
  removed = [];
  refuse = () => false;
});

describe("replaceFolder", () => {
  it("makes the folder and those above it", async () => {
    const at = join(await scratch(), "a/b/dist");
    await replaceFolder(at, new Map([["x/y", "z"]]));
    expect(await readFile(join(at, "x/y"), "utf8")).toBe("z");
  });

  it("leaves alone a folder that holds these files and no others", async () => {
    const folder = await scratch();
    const dist = join(folder, "dist");
    const files = new Map<string, string | Uint8Array>([
      ["x/y", "é"],
      ["z", new Uint8Array([0, 255])],
    ]);
    const number = async (): Promise<number> => (await stat(dist)).ino;
    await replaceFolder(dist, files);
    const first = await number();
    await replaceFolder(dist, files);
    expect(await number()).toBe(first);
    const others = [{ "dist/x/y": "e" }, { "dist/more": "" }, { "dist/empty/.keep": "" }];
    for (const other of others) {
      await write(folder, other);
      const before = await number();
      await replaceFolder(dist, files);
      expect(await number()).not.toBe(before);
      expect(await readFile(join(dist, "x/y"), "utf8")).toBe("é");
      expect((await readdir(dist)).sort()).toEqual(["x", "z"]);
    }
    await mkdir(join(dist, "empty"));
    await replaceFolder(dist, files);
    expect((await readdir(dist)).sort()).toEqual(["x", "z"]);
  });

  it("leaves the old folder whole, and nothing beside it, when writing fails", async () => {
    const folder = await scratch();
    await write(folder, { "dist/old": "old" });
    const impossible = new Map([
      ["x", "a file"],
      ["x/y", "a file below a file"],
    ]);
    await expect(replaceFolder(join(folder, "dist"), impossible)).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["dist"]);
    expect(await readFile(join(folder, "dist/old"), "utf8")).toBe("old");
  });

  it("takes the place of a file of that name", async () => {
    const folder = await scratch();
    await write(folder, { dist: "a file" });
    await replaceFolder(join(folder, "dist"), new Map([["x", "y"]]));
    expect(await readdir(join(folder, "dist"))).toEqual(["x"]);
  });

  it("never empties the folder in its place, so that whoever reads or interrupts finds a whole one", async () => {
    const folder = await scratch();
    await write(folder, { "dist/a": "old", "dist/b": "old" });
    await replaceFolder(join(folder, "dist"), new Map([["a", "new"]]));
    expect(removed).not.toContain(join(folder, "dist"));
  });

  it("brings the old folder back when the swap itself fails", async () => {
    const folder = await scratch();
    await write(folder, { "dist/old": "old" });
    refuse = (from, to) => to === join(folder, "dist") && existsSync(join(from, "new"));
    await expect(replaceFolder(join(folder, "dist"), new Map([["new", "new"]]))).rejects.toThrow("no rename");
    expect(await readdir(folder)).toEqual(["dist"]);
    expect(await readFile(join(folder, "dist/old"), "utf8")).toBe("old");
  });

  it("lets two writers at once both succeed, the folder being one of the two", async () => {
    const dist = join(await scratch(), "dist");
    for (let round = 0; round < 10; round++) {
      await Promise.all(["a", "b"].map((name) => replaceFolder(dist, new Map([[name, name]]))));
      expect(await readdir(dist)).toHaveLength(1);
    }
  });

  it("replaces an empty folder", async () => {
    const folder = await scratch();
    await mkdir(join(folder, "dist"));
    await replaceFolder(join(folder, "dist"), new Map([["x", "y"]]));
    expect(await readdir(join(folder, "dist"))).toEqual(["x"]);
  });
});
