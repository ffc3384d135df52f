import { chmod, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { emission, emit, packageVersion } from "../src/emit.js";
import { env } from "../src/environment.js";
import { sha256 } from "../src/files.js";
import { fragmentIn, problemsOf, scratch, write } from "./helpers.js";

const umask = process.umask();
afterEach(() => {
  process.umask(umask);
});

/** Everything below a folder, by path. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const entries = await Promise.all(
    files.sort().map(async (file) => [file.slice(folder.length + 1), await readFile(file, "latin1")]),
  );
  return Object.fromEntries(entries);
}

describe("emission", () => {
  it("lists every file with path, mode, sha256 and kind, sorted by path", async () => {
    const folder = await scratch();
    const definition = await fragmentIn(
      folder,
      {
        "usr/local/bin/tool": "tool",
        "opt/run.sh": "run",
        "etc/plain.conf": "plain",
        "mnt/setup/sample/install.sh": "install",
        ".hidden": "hidden",
      },
      { setup: { install: "install.sh" }, modes: { "/etc/plain.conf": "0600" } },
    );
    const { manifest } = await emission(definition, "1.2.3");
    expect(manifest.version).toBe("1.2.3");
    expect(manifest.files).toEqual([
      { path: "/.hidden", mode: "0644", sha256: sha256("hidden"), kind: "runtime" },
      { path: "/etc/plain.conf", mode: "0600", sha256: sha256("plain"), kind: "runtime" },
      { path: "/mnt/setup/sample/install.sh", mode: "0755", sha256: sha256("install"), kind: "setup" },
      { path: "/opt/run.sh", mode: "0755", sha256: sha256("run"), kind: "runtime" },
      { path: "/usr/local/bin/tool", mode: "0755", sha256: sha256("tool"), kind: "runtime" },
    ]);
  });

  it("carries names with spaces and quotes, and bytes that are no text", async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    const definition = await fragmentIn(await scratch(), { 'opt/it\'s "a" file.bin': bytes });
    const { manifest, files } = await emission(definition, "1.0.0");
    expect(manifest.files[0]?.path).toBe('/opt/it\'s "a" file.bin');
    expect(files.get('rootfs/opt/it\'s "a" file.bin')).toEqual(bytes);
  });

  it("keeps line ends as they are", async () => {
    const definition = await fragmentIn(await scratch(), { "etc/dos.conf": "a\r\nb\r\n" });
    const { files } = await emission(definition, "1.0.0");
    expect(String(files.get("rootfs/etc/dos.conf"))).toBe("a\r\nb\r\n");
  });

  it("adds the environment contract as a file of the image", async () => {
    const definition = await fragmentIn(
      await scratch(),
      {},
      {
        runtime: { env: { LOG_LEVEL: env.string({ text: "t" }) }, envPrefixes: ["LOG_"] },
      },
    );
    const { manifest, files } = await emission(definition, "1.0.0");
    expect(manifest.files.map(({ path, mode }) => [path, mode])).toEqual([
      ["/opt/container/environment.d/sample.contract", "0644"],
    ]);
    expect(String(files.get("rootfs/opt/container/environment.d/sample.contract"))).toBe(
      "var|LOG_LEVEL|string|||\nprefix|LOG_\n",
    );
  });

  it("sorts relations and names the sum of both Dockerfile fragments", async () => {
    const definition = await fragmentIn(
      await scratch(),
      { "etc/x": "" },
      {
        dependsOn: ["b", "a"],
        installsAfter: ["d", "c"],
        conflictsWith: ["f", "e"],
      },
    );
    const { manifest, files } = await emission(definition, "1.0.0");
    expect([manifest.dependsOn, manifest.installsAfter, manifest.conflictsWith]).toEqual([
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
    ]);
    expect(manifest.dockerfiles).toEqual({
      setup: null,
      runtime: sha256(files.get("runtime.Dockerfile")!),
    });
  });

  it("does not change with a file's time or mode, the umask, or a README beside it", async () => {
    const folder = await scratch();
    const definition = await fragmentIn(folder, { "etc/a.conf": "a", "opt/b.sh": "b" });
    const before = await emission(definition, "1.0.0");
    await chmod(join(folder, "rootfs/etc/a.conf"), 0o777);
    await chmod(join(folder, "rootfs/opt/b.sh"), 0o600);
    await utimes(join(folder, "rootfs/etc/a.conf"), 1, 1);
    await writeFile(join(folder, "README.md"), "new");
    process.umask(0o077);
    expect(await emission(definition, "1.0.0")).toEqual(before);
  });

  it("says of a symbolic link in rootfs that it cannot be carried", async () => {
    const folder = await scratch();
    const definition = await fragmentIn(folder, { "etc/real.conf": "x" });
    await symlink("/etc/hostname", join(folder, "rootfs/etc/link.conf"));
    expect(await problemsOf(() => emission(definition, "1.0.0"))).toContain("/etc/link.conf");
  });

  it("says of a broken symbolic link what it is, instead of breaking down", async () => {
    const folder = await scratch();
    const definition = await fragmentIn(folder, { "etc/real.conf": "x" });
    await symlink("nowhere", join(folder, "rootfs/etc/broken.conf"));
    expect(await problemsOf(() => emission(definition, "1.0.0"))).toContain("/etc/broken.conf");
  });

  it("takes an empty rootfs and a missing one for no files", async () => {
    const folder = await scratch();
    await mkdir(join(folder, "rootfs/etc/empty"), { recursive: true });
    expect((await emission(await fragmentIn(folder), "1.0.0")).manifest.files).toEqual([]);
    expect((await emission(await fragmentIn(await scratch()), "1.0.0")).manifest.files).toEqual([]);
  });
});

describe("emit", () => {
  it("writes plain text that needs no Node: manifest, rootfs and Dockerfile fragments", async () => {
    const folder = await scratch();
    await write(folder, { "package.json": '{"version":"4.5.6"}' });
    const definition = await fragmentIn(
      folder,
      { "mnt/setup/sample/install.sh": "i", "etc/a.conf": "a" },
      { setup: { install: "install.sh" } },
    );
    const { manifest } = await emit(definition);
    expect(manifest.version).toBe("4.5.6");
    const written = await contents(join(folder, "dist"));
    expect(Object.keys(written)).toEqual([
      "fragment.json",
      "rootfs.tar",
      "rootfs/etc/a.conf",
      "rootfs/mnt/setup/sample/install.sh",
      "runtime.Dockerfile",
      "setup.Dockerfile",
    ]);
    expect(JSON.parse(written["fragment.json"]!)).toEqual(manifest);
  });

  it("writes the same bytes again, and takes away what is no longer emitted", async () => {
    const folder = await scratch();
    const definition = await fragmentIn(folder, { "etc/a.conf": "a" });
    await emit(definition);
    const first = await contents(join(folder, "dist"));
    await write(folder, { "dist/garbage": "x", "dist/rootfs/etc/old.conf": "x" });
    await emit(definition);
    expect(await contents(join(folder, "dist"))).toEqual(first);
  });

  it("leaves the old folder as it was when the definition is wrong", async () => {
    const folder = await scratch();
    const definition = await fragmentIn(folder, { "etc/a.conf": "a" });
    await emit(definition);
    const first = await contents(join(folder, "dist"));
    await problemsOf(() => emit({ ...definition, summary: "" }));
    expect(await contents(join(folder, "dist"))).toEqual(first);
  });

  it("leaves nothing but dist behind", async () => {
    const folder = await scratch();
    await emit(await fragmentIn(folder, { "etc/a.conf": "a" }));
    expect((await readdir(folder)).sort()).toEqual(["dist", "rootfs"]);
  });

  it("makes a folder that other users of the machine can read, as the umask says", async () => {
    process.umask(0o022);
    const folder = await scratch();
    await emit(await fragmentIn(folder, { "etc/a.conf": "a" }));
    expect((await stat(join(folder, "dist"))).mode & 0o777).toBe(0o755);
  });
});

describe("packageVersion", () => {
  it("is that of the nearest package.json, and 0.0.0 where it says none", async () => {
    const folder = await scratch();
    await write(folder, { "package.json": '{"version":"1.0.0"}', "inner/package.json": "{}", "inner/deep/x": "" });
    expect(await packageVersion(folder)).toBe("1.0.0");
    expect(await packageVersion(join(folder, "inner/deep"))).toBe("0.0.0");
  });
});
