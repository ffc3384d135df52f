import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { emit } from "../src/emit.js";
import { Problems } from "../src/errors.js";
import { sha256 } from "../src/files.js";
import { option } from "../src/option.js";
import { readFragment } from "../src/read.js";
import { fragmentIn, scratch, write } from "./helpers.js";

let dist: string;

beforeEach(async () => {
  const folder = await scratch();
  dist = join(folder, "dist");
  const definition = await fragmentIn(
    folder,
    { "etc/a.conf": "a", "mnt/setup/sample/install.sh": "i" },
    {
      options: { major: option.string({ arg: "MAJOR", default: "17" }) },
      setup: { install: "install.sh" },
    },
  );
  await emit(definition);
});

/** What is wrong with the emitted fragment, as text; the fragment must not be given then. */
async function problems(name = "sample"): Promise<string> {
  const found = new Problems();
  const fragment = await readFragment(dist, name, found);
  if (found.list.length > 0) expect(fragment).toBeUndefined();
  for (const { fix } of found.list) expect(fix).toMatch(/strata build/);
  return found.list.map(({ subject, message }) => `${subject}: ${message}`).join("\n");
}

/** Changes the manifest on disk. */
async function edit(change: (manifest: Record<string, unknown>) => void): Promise<void> {
  const file = join(dist, "fragment.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  change(manifest);
  await writeFile(file, JSON.stringify(manifest));
}

describe("readFragment", () => {
  it("gives back what was emitted", async () => {
    const found = new Problems();
    const fragment = await readFragment(dist, "sample", found);
    expect(found.list).toEqual([]);
    expect(fragment?.manifest.name).toBe("sample");
    expect([...(fragment?.contents ?? [])].map(([path, content]) => [path, String(content)])).toEqual([
      ["/etc/a.conf", "a"],
      ["/mnt/setup/sample/install.sh", "i"],
    ]);
    expect(fragment?.dockerfiles.setup).toContain('ARG MAJOR="17"');
    expect(fragment?.dockerfiles.runtime).toContain("ADD fragments/sample.tar /");
    expect(sha256(fragment?.archive ?? "")).toBe(fragment?.manifest.archive);
  });

  it("says where nothing was emitted, and what to run", async () => {
    await rm(dist, { recursive: true });
    expect(await problems()).toBe(`fragment sample: expected ${join(dist, "fragment.json")}, found nothing`);
  });

  it("says both sums of a file with other bytes", async () => {
    await writeFile(join(dist, "rootfs/etc/a.conf"), "b");
    expect(await problems()).toMatch(
      /rootfs\/etc\/a\.conf is damaged: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}$/,
    );
  });

  it("tells every damaged file at once", async () => {
    await writeFile(join(dist, "rootfs/etc/a.conf"), "");
    await rm(join(dist, "rootfs/mnt/setup/sample/install.sh"));
    await writeFile(join(dist, "setup.Dockerfile"), "RUN evil");
    const text = await problems();
    expect(text.split("\n")).toHaveLength(3);
    expect(text).toContain("install.sh is damaged: expected sha256");
    expect(text).toContain("found no such file");
    expect(text).toContain("setup.Dockerfile is damaged");
  });

  it("leaves out what is not in the manifest: Turbo restores a dist/ without taking older files away", async () => {
    await write(dist, { "rootfs/etc/extra.conf": "x", "rootfs/.hidden/file": "x" });
    await edit((manifest) => {
      manifest.dockerfiles = { ...(manifest.dockerfiles as object), runtime: null };
    });
    const found = new Problems();
    const fragment = await readFragment(dist, "sample", found);
    expect(found.list).toEqual([]);
    expect([...(fragment?.contents.keys() ?? [])]).toEqual(["/etc/a.conf", "/mnt/setup/sample/install.sh"]);
    expect(fragment?.dockerfiles).not.toHaveProperty("runtime");
  });

  it.each([
    ["cut off", '{"schema":1'],
    ["empty", ""],
    ["garbage", "\0\0\0"],
    ["another thing", "[]"],
    ["of another schema", '{"schema":2}'],
  ])("says of a manifest that is %s that it is none", async (_, text) => {
    await writeFile(join(dist, "fragment.json"), text);
    expect(await problems()).toContain("fragment.json is no fragment manifest");
  });

  it("says of a folder in a file's place that it is damaged, instead of breaking down", async () => {
    await rm(join(dist, "rootfs/etc/a.conf"));
    await mkdir(join(dist, "rootfs/etc/a.conf"));
    expect(await problems()).toContain("a.conf is damaged");
  });

  it("says of a folder in the manifest's place that it is no manifest", async () => {
    await rm(join(dist, "fragment.json"));
    await mkdir(join(dist, "fragment.json"));
    expect(await problems()).toContain("is no fragment manifest");
  });

  it("notices the manifest of another fragment", async () => {
    expect(await problems("other")).toContain("sample");
  });

  it.each(["/../outside", "/etc/../../outside", "relative", "/etc//a.conf", "/etc/./a.conf"])(
    "refuses the path %s, which could lead out of the folder",
    async (path) => {
      await edit((manifest) => {
        (manifest.files as { path: string }[])[0]!.path = path;
      });
      expect(await problems()).toContain("is no fragment manifest");
    },
  );

  it("does not mind that file system modes differ, since modes are data", async () => {
    const { chmod } = await import("node:fs/promises");
    await chmod(join(dist, "rootfs/etc/a.conf"), 0o777);
    expect(await problems()).toBe("");
  });
});
