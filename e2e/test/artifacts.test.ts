// What a component compiles to, between machines: two checkouts with caches of their own, the real Turbo, the real engine,
// and the remote cache that teams run. An engine that saw a build in an earlier run has its stages still, so each run
// makes sources and edits of its own.
import { randomUUID } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { attempt, findEngine, freePort } from "@strata/engine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Machine, Sources } from "./machines/machine.js";
import { OddRemote, RemoteCache, remoteAt } from "./machines/remote.js";
import { REPOSITORY, type Release } from "./machines/workspace.js";
import { ROOT, sh } from "./scratch.js";

const engine = await findEngine();
const nonce = randomUUID();
const NO_HELP = /^Turbo's remote cache is of no help, building goes on without it: .+$/gm;
const CHANGED =
  /the artifact of alpha was changed: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}; it is thrown away/g;

let sources: Sources;
let remote: RemoteCache;
let releases: Release[];
let first: Machine;
let second: Machine;

const uploaded = async (): Promise<string[]> => (await readdir(remote.folder)).sort();

beforeAll(async () => {
  sources = await Sources.make();
  remote = await RemoteCache.start();
  releases = [
    await sources.release("alpha", "1.0", `alpha one ${nonce}\n`),
    await sources.release("beta", "1.0", `beta one ${nonce}\n`),
  ];
  first = await Machine.make(engine, { sources, releases, env: remote.settings });
  second = await Machine.make(engine, { sources, releases, env: remote.settings });
});

afterAll(async () => {
  for (const left of [first, second, remote, sources]) await left?.[Symbol.asyncDispose]();
  const tags = ["one", "two"].map((variant) => `${REPOSITORY}:${variant}`);
  await attempt(engine.client, ["rmi", ...tags]);
});

describe("every component of the PostgreSQL image", () => {
  it("has a task for its artifact in each variant that compiles it", async () => {
    const folder = join(ROOT, "images/postgresql");
    const compiled: string[] = [];
    for (const variant of await readdir(join(folder, "dist")))
      for (const fragment of await readdir(join(folder, "dist", variant, "stages")))
        compiled.push(`artifact:${variant}:${fragment}`);
    expect(compiled).toContain("artifact:17-trixie:setup-citus");
    const { tasks } = JSON.parse(await readFile(join(folder, "turbo.json"), "utf8"));
    const { scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    expect(Object.keys(tasks).sort()).toEqual(compiled.sort());
    for (const task of compiled) {
      const [, variant, fragment] = task.split(":");
      expect(scripts[task]).toBe(`strata artifact ${variant} --fragment ${fragment}`);
      expect(tasks[task].inputs[1].globs).toEqual([`dist/${variant}/stages/${fragment}`]);
      expect(tasks[task].outputs).toEqual([`artifacts/${variant}/${fragment}/**`]);
    }
  });
});

describe("artifacts", () => {
  it("are made by the first machine, which compiles, and go to the remote cache", async () => {
    const built = await first.image();
    // Of the toolchain, which is always the same here, an earlier run may have left the stage.
    expect(built.stages).toEqual({ "stage/tools": expect.any(String), "stage/alpha": "built", "stage/beta": "built" });
    expect(built.artifacts).toEqual([]);
    expect(built.stderr).not.toMatch(NO_HELP);
    expect(await first.says("alpha")).toBe(`ALPHA ONE ${nonce.toUpperCase()}\nplain`);
    const kept = await readdir(join(first.scratch.folder, ".turbo/cache"));
    const local = kept.flatMap((name) => /^(\w+)\.tar\.zst$/.exec(name)?.[1] ?? []);
    expect(local.length).toBe(7);
    expect(await uploaded()).toEqual(local.sort());
  });

  it("of a variant that nobody asked for are not compiled on the way", async () => {
    expect(await readdir(join(first.artifact("alpha"), "../../.."))).toEqual(["one"]);
  });

  it("spare the second machine the compiler; its image is the same, layer by layer", async () => {
    const layers = await first.layers();
    const built = await second.image(["--no-cache"]);
    expect(built.artifacts).toEqual(["alpha", "beta"]);
    expect(Object.keys(built.stages)).toEqual(["stage/alpha", "stage/beta"]);
    const context = await second.scratch.read("images/sample/.strata/one/context/Dockerfile");
    expect(context).not.toMatch(/AS toolchain|build\.sh/);
    expect(await second.layers()).toEqual(layers);
    expect(await second.says("alpha")).toBe(`ALPHA ONE ${nonce.toUpperCase()}\nplain`);
    expect(await second.readArtifact("beta")).toEqual(await first.readArtifact("beta"));
  });

  it("of the others stay when one component has a new version: only that one is compiled and uploaded", async () => {
    const before = await uploaded();
    await second.upgrade(await sources.release("alpha", "1.1", `alpha two ${nonce}\n`));
    const built = await second.image();
    expect(built.stages).toMatchObject({ "stage/alpha": "built" });
    expect(built.artifacts).toEqual(["beta"]);
    expect(await second.says("alpha")).toBe(`ALPHA TWO ${nonce.toUpperCase()}\nplain`);
    // What the fragment emits, what the image renders, and the artifact.
    expect((await uploaded()).length - before.length).toBe(3);
  });

  it("are the same bytes wherever they are compiled, under any umask and temporary folder", async () => {
    await using third = await Machine.make(engine, { sources, releases, umask: "077" });
    const TMPDIR = join(third.scratch.folder, "temporary files");
    await mkdir(TMPDIR);
    // Another text of the same script, so that the engine runs it once more.
    await third.edit("alpha");
    const { code, stderr } = await third.strata(["artifact", "sample", "one", "--fragment", "alpha"], { TMPDIR });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/built +stage\/alpha/)]);
    expect(await third.readArtifact("alpha")).toEqual(await first.readArtifact("alpha"));
    expect(await readdir(TMPDIR)).toEqual([]);
  });
});

describe("an artifact that was changed", () => {
  it("beside the image is refused, and had again from Turbo's cache", async () => {
    const good = await first.readArtifact("alpha");
    await appendFile(first.artifact("alpha"), "evil");
    const built = await first.image();
    expect(built.stderr.match(CHANGED)).toHaveLength(1);
    expect(built.artifacts).toEqual(["alpha", "beta"]);
    expect(await first.readArtifact("alpha")).toEqual(good);
  });

  it("in Turbo's caches is refused, compiled again, and replaced in both", async () => {
    const good = await first.readArtifact("alpha");
    await first.poison("alpha");
    await rm(first.artifact("alpha", ""), { recursive: true });
    const built = await first.image();
    expect(built.stderr.match(CHANGED)).toHaveLength(1);
    expect(built.artifacts).toEqual(["beta"]);
    expect(Object.keys(built.stages)).toContain("stage/tools");
    expect(await first.says("alpha")).toBe(`ALPHA ONE ${nonce.toUpperCase()}\nplain`);
    expect(await first.readArtifact("alpha")).toEqual(good);

    for (const cache of ["the machine's", "the remote"]) {
      await rm(first.artifact("alpha", ""), { recursive: true });
      if (cache === "the remote") await rm(join(first.scratch.folder, ".turbo"), { recursive: true });
      const again = await first.image();
      expect(again.stderr, cache).not.toMatch(CHANGED);
      expect(again.artifacts, cache).toEqual(["alpha", "beta"]);
      expect(await first.readArtifact("alpha"), cache).toEqual(good);
    }
  });
});

describe("a disk that is full", () => {
  it("keeps no artifact, which is told; the image is there", async ({ skip }) => {
    const big = await sources.release("gamma", "1.0", `gamma ${nonce}\n`.repeat(4_000));
    await using machine = await Machine.make(engine, { sources, releases: [big] });
    const folder = join(machine.scratch.folder, "images/sample/artifacts");
    await mkdir(folder);
    const disk = await sh(folder, "mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
    if (disk.code !== 0) return skip("this user may mount no tmpfs");
    try {
      const { stderr } = await machine.image();
      expect(stderr).toMatch(
        /^what was compiled is not kept for other builds: .*expected room on the disk, found none: ENOSPC/m,
      );
      expect(await machine.says("gamma")).toContain(nonce.toUpperCase());
      expect(await readdir(join(folder, "one"))).toEqual([]);
    } finally {
      await sh("/", "umount", [folder]);
    }
  });
});

describe("a remote cache", () => {
  /** Builds something new without help; gives how long it took. */
  async function alone(settings: Readonly<Record<string, string>>): Promise<number> {
    await first.edit("alpha");
    const began = Date.now();
    const built = await first.image([], settings);
    expect(built.stderr.match(NO_HELP)).toHaveLength(1);
    expect(built.stages).toMatchObject({ "stage/alpha": "built" });
    expect(built.artifacts).toEqual(["beta"]);
    expect(await first.says("alpha")).toBe(`ALPHA ONE ${nonce.toUpperCase()}\nplain`);
    return Date.now() - began;
  }

  it("that is down is told of once, and the build goes on", async () => {
    await alone(remoteAt(`http://127.0.0.1:${await freePort(20_000)}`));
  });

  it.each<[string, Parameters<typeof OddRemote.start>[0]]>([
    ["that answers rubbish", (_, response) => response.end("rubbish")],
    ["that has a fault of its own", (_, response) => response.writeHead(500).end("no")],
    ["that hangs up", (request) => request.socket.destroy()],
    ["that refuses the token", (_, response) => response.writeHead(403).end('{"error":{"code":"forbidden"}}')],
  ])("%s is told of once, and the build goes on", async (_, answer) => {
    await using odd = await OddRemote.start(answer);
    await alone(odd.settings);
    expect(odd.asked).toBeGreaterThan(0);
  });

  it.each<[string, Parameters<typeof OddRemote.start>[0]]>([
    ["never answers", () => undefined],
    [
      "answers no more after it said that all is well",
      ({ url }, response) => {
        if (url!.includes("status")) response.end('{"status":"enabled"}');
      },
    ],
  ])("that %s is not waited for", async (_, answer) => {
    await using odd = await OddRemote.start(answer);
    expect(await alone(odd.settings)).toBeLessThan(60_000);
    expect(odd.asked).toBeGreaterThan(0);
  });

  it("that takes nothing more is told of once, after the build", async () => {
    await using full = await OddRemote.start((request, response) => {
      request.resume();
      response.setHeader("content-type", "application/json");
      if (request.url!.includes("status")) response.end('{"status":"enabled"}');
      else response.writeHead(request.method === "PUT" ? 413 : 404).end("{}");
    });
    await alone(full.settings);
  });
});
