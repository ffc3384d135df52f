import { randomUUID } from "node:crypto";
import { chmod, readdir, readFile, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { attempt, findEngine } from "@strata/engine";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { must, Scratch, sh } from "./scratch.js";

const SCRIPT = "packages/runtime/healthcheck/rootfs/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh";
const REPOSITORY = "strata-e2e/postgresql";
/** An engine that saw an edit in an earlier run has its layer still: each run makes edits of its own. */
const NONCE = randomUUID();
const engine = await findEngine();
let scratch: Scratch;

/** Builds, and gives the tasks that ran. */
async function turbo(): Promise<string[]> {
  const runs = join(scratch.folder, ".turbo", "runs");
  await rm(runs, { recursive: true, force: true });
  await must(scratch.folder, "pnpm", "turbo", "run", "build", "--summarize");
  const summary = JSON.parse(await readFile(join(runs, (await readdir(runs))[0]!), "utf8"));
  return summary.tasks
    .filter(
      (task: { cache: { status: string }; command: string }) =>
        task.cache.status !== "HIT" && task.command !== "<NONEXISTENT>",
    )
    .map((task: { taskId: string }) => task.taskId)
    .sort();
}

/** Builds the default variant on the engine, and gives the layers that were built. */
async function image(): Promise<string[]> {
  const stdout = await must(scratch.folder, "pnpm", "--silent", "strata", "image", "postgresql", "17-trixie", "--json");
  const [{ parts }] = JSON.parse(stdout);
  return parts.filter(({ state }: { state: string }) => state === "built").map(({ id }: { id: string }) => id);
}

const imageId = async (): Promise<string> =>
  (await attempt(engine.client, ["image", "inspect", "--format", "{{.Id}}", `${REPOSITORY}:17-trixie`])).stdout;

beforeAll(async () => {
  scratch = await Scratch.workspace();
  const definition = await scratch.read("images/postgresql/image.ts");
  // Tags of its own, so that the images under test stay what they are.
  await scratch.write(
    "images/postgresql/image.ts",
    definition.replace('name: "postgresql",', `name: "postgresql",\n  repository: "${REPOSITORY}",`),
  );
});

afterAll(async () => {
  const tags = await attempt(engine.client, ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY]);
  await attempt(engine.client, ["rmi", ...tags.stdout.split("\n").filter(Boolean)]);
  await scratch?.[Symbol.asyncDispose]();
});

describe("the cache law", () => {
  it("runs everything once, and nothing the second time", async () => {
    expect(await turbo()).toContain("@strata/image-postgresql#build");
    expect(await turbo()).toEqual([]);
  });

  it("runs nothing after a touch or a chmod of any file", async () => {
    const files = (await must(scratch.folder, "git", "ls-files")).split("\n");
    for (const file of files) await utimes(join(scratch.folder, file), new Date(), new Date());
    await chmod(join(scratch.folder, SCRIPT), 0o600);
    expect(await turbo()).toEqual([]);
  });

  it("runs nothing after an edit of a README or a test", async () => {
    await scratch.append("packages/runtime/healthcheck/README.md", "\nmore\n");
    await scratch.write("packages/runtime/healthcheck/test/more.bats", "#!/usr/bin/env bats\n");
    expect(await turbo()).toEqual([]);
    await rm(join(scratch.folder, "packages/runtime/healthcheck/test/more.bats"));
  });

  it("runs only the fragment when it emits what it emitted before", async () => {
    await scratch.append("packages/runtime/healthcheck/fragment.ts", "\n// nothing that is emitted\n");
    expect(await turbo()).toEqual(["@strata/healthcheck#build"]);
  });

  it("rebuilds one fragment, the images that have it, that layer and those after it when one script changes", async () => {
    await image();
    expect(await image()).toEqual([]);
    await scratch.append(SCRIPT, `\n# one more line ${NONCE}\n`);
    // Every image has this fragment.
    const images = (await readdir(join(scratch.folder, "images"))).map((name) => `@strata/image-${name}#build`);
    expect(await turbo()).toEqual(["@strata/healthcheck#build", ...images].sort());
    const { layers } = JSON.parse(await scratch.read("images/postgresql/dist/17-trixie/image.json"));
    const runtime = layers.map(({ id }: { id: string }) => id).filter((id: string) => id.startsWith("runtime/"));
    expect(await image()).toEqual(runtime.slice(runtime.indexOf("runtime/healthcheck")));
    expect(await image()).toEqual([]);
  });

  it("takes an edit that nobody built yet, and says so", async () => {
    await scratch.append(SCRIPT, `\n# and another ${NONCE}\n`);
    const { code, stderr } = await sh(scratch.folder, "pnpm", [
      "--silent",
      "strata",
      "image",
      "postgresql",
      "17-trixie",
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain("fragment healthcheck emitted again: its sources changed");
    expect(stderr).toMatch(/runtime\/entrypoint +cached/);
    expect(stderr).toMatch(/runtime\/healthcheck +built/);
    expect(stderr).not.toContain("\u001b[");
  });
});

describe("what goes wrong while building", () => {
  it("refuses a damaged dist, naming the file and both sums, and Turbo mends it", async () => {
    await turbo();
    await scratch.append(`packages/runtime/healthcheck/dist/rootfs/${SCRIPT.split("rootfs/")[1]}`, "# damage\n");
    for (const words of [
      ["image", "postgresql"],
      ["build", "postgresql"],
      ["plan", "postgresql"],
    ]) {
      const { code, stderr } = await sh(scratch.folder, "pnpm", ["--silent", "strata", ...words]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /fragment healthcheck: .*healthcheck\.sh is damaged: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}/,
      );
      expect(stderr).toContain("pnpm turbo build --force");
    }
    await must(scratch.folder, "pnpm", "turbo", "run", "build", "--force");
    expect(await image()).toEqual([]);
  });

  it("leaves no half-made image after Ctrl-C, and the next build succeeds", async () => {
    const before = await imageId();
    const words = ["packages/kit/cli/bin/strata.mjs", "image", "postgresql", "17-trixie", "--no-cache"];
    const child = execa("node", words, {
      cwd: scratch.folder,
      reject: false,
      stdin: "ignore",
      all: true,
      buffer: true,
    });
    let seen = "";
    child.all!.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      // The first sign of the long step's life; then a moment, so that it is well inside.
      if (/building/.test(seen) && !child.killed) setTimeout(() => child.kill("SIGINT"), 1_000);
    });
    const { exitCode, all } = await child;
    expect(all).toContain("interrupted");
    expect(exitCode).toBe(130);
    expect(await imageId()).toBe(before);
    expect(await image()).toEqual([]);
    expect(await imageId()).toBe(before);
  });
});
