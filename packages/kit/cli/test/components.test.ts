import { createHash } from "node:crypto";
import { appendFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archive } from "@strata/fragment";
import { describe, it } from "vitest";
import { calls, componentWorkspace, dockerPath, strata, write } from "./helpers.js";

const SOURCE = "source of thing";
const SUM = createHash("sha256").update(SOURCE).digest("hex");
const STORE = `image\\ inspect*) echo '[{"Id":"sha256:abc","Size":84000000}]' ;;\nhistory*) exit 1 ;;`;
/** An engine that builds: an archive where it is asked for one, and nothing else. */
const BUILDS = `${STORE}\nbuildx\\ build*) for word; do case $word in type=tar,dest=*) cp "\${0%/*}/out.tar" "\${word#type=tar,dest=}" ;; esac; done; echo "#1 [final 1/3] CACHED" ;;`;

/** The sample workspace with an engine, and the environment that finds it. */
async function made({ optional = true, source = SOURCE }: { optional?: boolean; source?: string | undefined } = {}) {
  const folder = await componentWorkspace(SUM, optional);
  const bin = await dockerPath(folder, BUILDS.replace("cp ", "/bin/cp "));
  await writeFile(
    join(bin, "out.tar"),
    await archive([{ path: "/usr/lib/thing.so", mode: "0644", content: Buffer.from("compiled") }]),
  );
  const STRATA_SOURCES = join(folder, "the sources");
  await mkdir(STRATA_SOURCES);
  if (source) await write(STRATA_SOURCES, { "thing-1.0.tar.gz": source });
  return { folder, env: { PATH: bin, STRATA_SOURCES }, room: join(folder, "images/alpha/.strata/17-trixie") };
}

describe.concurrent("strata image with a component", () => {
  it("compiles it from the sources folder, which the engine gets as a context of its own", async ({ expect }) => {
    const { folder, env, room } = await made();
    const { code, stderr } = await strata(folder, ["image", "17-trixie"], env);
    expect(stderr).not.toContain("without");
    expect(code).toBe(0);
    expect(await readFile(join(room, "sources/thing/thing-1.0.tar.gz"), "utf8")).toBe(SOURCE);
    expect(await readFile(join(room, "sources/thing/SOURCES"), "utf8")).toContain(SUM);
    const build = (await calls(folder)).find((call) => call.startsWith("buildx build "));
    expect(build).toContain(`--file ${room}/context/Dockerfile.buildkit`);
    expect(build).toContain(`--build-context sources=${room}/sources`);
  });

  it("puts the sources into the one context that the portable dialect has", async ({ expect }) => {
    const { folder, env, room } = await made();
    const { code } = await strata(folder, ["image", "17-trixie", "--dialect", "portable"], env);
    expect(code).toBe(0);
    expect(await readFile(join(room, "context/sources/thing/thing-1.0.tar.gz"), "utf8")).toBe(SOURCE);
    const build = (await calls(folder)).find((call) => call.startsWith("buildx build "));
    expect(build).toContain(`--file ${room}/context/Dockerfile `);
    expect(build).not.toContain("--build-context");
  });

  it("does without one that is optional and whose source cannot be had, and says so", async ({ expect }) => {
    const { folder, env, room } = await made({ source: "" });
    const { code, stderr } = await strata(folder, ["image", "17-trixie"], env);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^building without thing: thing-1\.0\.tar\.gz is not in .*the sources, and https/m);
    expect(stderr).toContain("without thing, whose sources could not be had");
    expect(await readFile(join(room, "context/Dockerfile.buildkit"), "utf8")).toContain('dev.strata.without="thing"');
    const record = JSON.parse(await readFile(join(room, "build.json"), "utf8"));
    expect(record.without).toEqual([{ fragment: "thing", reason: expect.stringContaining("thing-1.0.tar.gz") }]);
  });

  it("refuses to do without one that is not, and says what to do", async ({ expect }) => {
    const { folder, env } = await made({ source: "", optional: false });
    const { code, stderr } = await strata(folder, ["image", "17-trixie"], env);
    expect(code).toBe(1);
    expect(stderr).toContain("strata: fragment thing: its source cannot be had: thing-1.0.tar.gz is not in");
    expect(stderr).toContain("→ put the file into the sources folder (STRATA_SOURCES)");
    expect((await calls(folder)).filter((call) => call.startsWith("buildx build "))).toEqual([]);
  });

  it("stops at a source with another sum, optional or not, and says both", async ({ expect }) => {
    const { folder, env } = await made({ source: "truncat" });
    const { code, stderr } = await strata(folder, ["image", "17-trixie"], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`expected sha256 ${SUM}, found [0-9a-f]{64}`));
  });
});

describe.concurrent("strata artifact", () => {
  it("keeps what a component installs; the next image unpacks it and needs neither source nor toolchain", async ({
    expect,
  }) => {
    const { folder, env, room } = await made();
    const first = await strata(folder, ["artifact", "--fragment", "thing"], env);
    expect(first.stderr).toContain("artifact thing of strata/alpha:17-trixie made, 0 MB");
    expect(first.code).toBe(0);
    const target = (await calls(folder)).filter((call) => call.includes("--target artifact-thing"));
    expect(target.length).toBe(2);
    const again = await strata(folder, ["artifact"], env);
    expect(again.stderr).toContain("artifact thing of strata/alpha:17-trixie is there");
    const { code, stderr } = await strata(folder, ["image", "17-trixie"], { ...env, STRATA_SOURCES: "/nowhere" });
    expect(stderr).not.toContain("without");
    expect(code).toBe(0);
    const text = await readFile(join(room, "context/Dockerfile.buildkit"), "utf8");
    expect(text).toContain("ADD --link artifacts/thing.tar /out/");
    expect(text).not.toContain("AS toolchain");
  });

  it("that was changed is thrown away, said so, and compiled again", async ({ expect }) => {
    const { folder, env, room } = await made();
    await strata(folder, ["artifact"], env);
    await appendFile(join(folder, "images/alpha/artifacts/17-trixie/thing/out.tar"), "evil");
    const { code, stderr } = await strata(folder, ["image", "17-trixie"], env);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /the artifact of thing was changed: expected sha256 \w{64}, found \w{64}; it is thrown away, and restored or compiled again/,
    );
    expect(await readFile(join(room, "context/Dockerfile.buildkit"), "utf8")).toContain(
      "FROM toolchain AS build-thing",
    );
  });

  it("is the same in another workspace", async ({ expect }) => {
    const [one, two] = [await made(), await made()];
    await cp(join(one.folder, "packages"), join(two.folder, "packages"), { recursive: true });
    const bytes = await Promise.all(
      [one, two].map(async ({ folder, env }) => {
        await strata(folder, ["artifact"], env);
        return readFile(join(folder, "images/alpha/artifacts/17-trixie/thing/out.tar"));
      }),
    );
    expect(bytes[0]).toEqual(bytes[1]);
  });

  it("fails where the source cannot be had, for every variant at once", async ({ expect }) => {
    const { folder, env } = await made({ source: "" });
    const { code, stderr } = await strata(folder, ["artifact"], env);
    expect(code).toBe(1);
    expect(stderr.match(/its source cannot be had/g)).toHaveLength(2);
  });

  it("of a fragment that is not compiled is an error with those that are", async ({ expect }) => {
    const { folder, env } = await made();
    const { code, stderr } = await strata(folder, ["artifact", "--fragment", "part"], env);
    expect(code).toBe(1);
    expect(stderr).toContain("image alpha does not compile it");
    expect(stderr).toContain("→ choose one of thing");
  });
});

describe.concurrent("strata report", () => {
  it("shows the last build as text, and writes the page", async ({ expect }) => {
    const { folder, env, room } = await made();
    const none = await strata(folder, ["report"], env);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("run `strata image alpha 17-trixie` first")]);
    await strata(folder, ["image", "17-trixie"], env);
    const { code, stdout, stderr } = await strata(folder, ["report"], env);
    expect(code).toBe(0);
    expect(stdout).toContain("strata/alpha:17-trixie");
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toContain("report.html");
    expect(await readFile(join(room, "report.html"), "utf8")).toMatch(/^<!doctype html>/i);
  });
});
