import { appendFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { FILE_TIME } from "@strata/fragment";
import { extract, pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { normalized, readArtifact, writeArtifact } from "../src/artifacts.js";
import { scratch, write } from "./helpers.js";

const stage = { digest: "sha256:one", fragment: "setup-a" };
const content = Buffer.from("tar");

/** An archive with these entries in this order, made at some time by somebody. */
function tarOf(names: readonly string[], seed: number): Promise<Buffer> {
  const whole = pack();
  for (const name of names) {
    const header = { name, uid: seed, gid: seed, mtime: new Date(seed * 1_000), mode: 0o644 };
    if (name.endsWith("/")) whole.entry({ ...header, type: "directory", mode: 0o755 });
    else if (name.endsWith("@")) whole.entry({ ...header, type: "symlink", linkname: "target" });
    else whole.entry(header, name);
  }
  whole.finalize();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    whole.on("data", (chunk: Buffer) => chunks.push(chunk));
    whole.on("end", () => resolve(Buffer.concat(chunks)));
  });
}

describe("an artifact", () => {
  it("is read back for the stage that made it", async () => {
    const folder = join(await scratch(), "a/b");
    await writeArtifact(folder, stage, content);
    expect(await readArtifact(folder, stage)).toEqual({ content });
    expect(await readdir(folder)).toEqual(["artifact.json", "out.tar"]);
  });

  it("is none for another stage, and none where nothing was made", async () => {
    const folder = await scratch();
    expect(await readArtifact(folder, stage)).toEqual({});
    await writeArtifact(folder, { digest: "sha256:two" }, content);
    expect(await readArtifact(folder, stage)).toEqual({});
  });

  it("that was changed is refused with both sums", async () => {
    const folder = await scratch();
    await writeArtifact(folder, stage, content);
    await appendFile(join(folder, "out.tar"), "x");
    expect((await readArtifact(folder, stage)) as object).toEqual({
      reason: expect.stringMatching(
        /the artifact of setup-a was changed: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}/,
      ),
    });
  });

  it.each<[string, (folder: string) => Promise<void>]>([
    ["no archive", (folder) => rm(join(folder, "out.tar"))],
    ["no record", (folder) => rm(join(folder, "artifact.json"))],
    ["a record that is none", (folder) => write(folder, { "artifact.json": "{" })],
    ["a record of something else", (folder) => write(folder, { "artifact.json": '{"schema":2}' })],
  ])("with %s is refused", async (_, spoil) => {
    const folder = await scratch();
    await writeArtifact(folder, stage, content);
    await spoil(folder);
    expect(await readArtifact(folder, stage)).toEqual({ reason: "the artifact of setup-a is not whole" });
  });
});

describe("normalized", () => {
  it("gives the same bytes whoever wrote the archive, when, and in which order", async () => {
    const names = ["usr/", "usr/lib/", "usr/lib/a.so", "usr/lib/b@"];
    const [one, two] = [await tarOf(names, 1_000), await tarOf([...names].reverse(), 9_999)];
    expect(one).not.toEqual(two);
    expect(await normalized(one)).toEqual(await normalized(two));
  });

  it("keeps modes, links and contents", async () => {
    const tar = await normalized(await tarOf(["./", "usr/", "usr/a", "usr/b@"], 5));
    const found: object[] = [];
    const reader = extract();
    reader.end(tar);
    for await (const entry of reader) {
      const { name, type, mode, uid, mtime, linkname } = entry.header;
      found.push({ name, type, mode, uid, mtime, linkname });
      entry.resume();
    }
    const common = { uid: 0, mtime: FILE_TIME };
    expect(found).toEqual([
      { name: "usr/", type: "directory", mode: 0o755, linkname: null, ...common },
      { name: "usr/a", type: "file", mode: 0o644, linkname: null, ...common },
      { name: "usr/b@", type: "symlink", mode: 0o644, linkname: "target", ...common },
    ]);
  });

  it("is the same archive once more", async () => {
    const once = await normalized(await tarOf(["a", "b/"], 3));
    expect(await normalized(once)).toEqual(once);
  });
});
