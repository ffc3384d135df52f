import { createHash } from "node:crypto";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt, build, findEngine } from "@strata/engine";
import { afterAll, beforeAll, expect, it } from "vitest";
import { must, ROOT, Scratch, sh } from "./scratch.js";

const NOBODY = 65534;
const root = process.getuid?.() === 0;
const engine = await findEngine();
let ours: Scratch;
let theirs: Scratch;

/** Builds a workspace under a umask, as another user where that is possible. */
async function buildAs(scratch: Scratch, umask: string, user?: number): Promise<void> {
  const words = ["-c", `umask ${umask}; exec pnpm turbo run build`];
  const env = { HOME: join(scratch.folder, ".home"), TURBO_CACHE_DIR: join(scratch.folder, ".turbo", "own") };
  if (user === undefined) {
    const { code, stderr, stdout } = await sh(scratch.folder, "bash", words, { env });
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    return;
  }
  await must(scratch.folder, "chown", "-R", `${user}:${user}`, scratch.folder);
  const as = [`--reuid=${user}`, `--regid=${user}`, "--clear-groups", "bash", ...words];
  const { code, stderr, stdout } = await sh(scratch.folder, "setpriv", as, { env });
  expect(code, `${stdout}\n${stderr}`).toBe(0);
}

/** The sum of every file that fragments and images emit, by path. */
async function emitted({ folder }: Scratch): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const place of ["packages/setup", "packages/runtime", "images"])
    for (const name of await readdir(join(folder, place))) {
      const dist = join(folder, place, name, "dist");
      for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        sums[path.slice(folder.length + 1)] = createHash("sha256")
          .update(await readFile(path))
          .digest("hex");
      }
    }
  return sums;
}

/** The digests of the layers that a variant's runtime files give, built anew. */
async function layers({ folder }: Scratch, variant: string): Promise<string[]> {
  const fragments = join(folder, "images/postgresql/dist", variant, "fragments");
  const archives = (await readdir(fragments)).filter((name) => name.endsWith(".tar")).sort();
  expect(archives.length).toBeGreaterThan(2);
  await using context = await Scratch.empty();
  for (const name of archives) await cp(join(fragments, name), join(context.folder, name));
  await context.write("Dockerfile", ["FROM scratch", ...archives.map((name) => `ADD ${name} /`), ""].join("\n"));
  const tag = `strata-e2e/layers:${variant}`;
  await build(engine, { folder: context.folder, tags: [tag], noCache: true });
  try {
    const { stdout } = await attempt(engine.client, ["image", "inspect", "--format", "{{json .RootFS.Layers}}", tag]);
    return JSON.parse(stdout);
  } finally {
    await attempt(engine.client, ["rmi", tag]);
  }
}

beforeAll(async () => {
  [ours, theirs] = [await Scratch.workspace(), await Scratch.workspace()];
  await buildAs(ours, "022");
  await buildAs(theirs, "077", root ? NOBODY : undefined);
});

afterAll(async () => {
  await ours?.[Symbol.asyncDispose]();
  await theirs?.[Symbol.asyncDispose]();
});

it("renders the same bytes in two folders, under two umasks, by two users", async () => {
  const files = await emitted(ours);
  expect(Object.keys(files)).toContain("images/postgresql/dist/17-trixie/Dockerfile");
  expect(await emitted(theirs)).toEqual(files);
  const variants = await readdir(join(ours.folder, "images/postgresql/dist"));
  expect(variants).toContain("13-source");
  for (const variant of variants)
    for (const [path, sum] of Object.entries(files).filter(([name]) => name.includes(`/dist/${variant}/`)))
      expect(sum, path).toBe(
        createHash("sha256")
          .update(await readFile(join(ROOT, path)))
          .digest("hex"),
      );
});

it("gives runtime layers of the same digest, whoever rendered them", async () => {
  for (const variant of ["17-trixie", "15-bookworm"])
    expect(await layers(theirs, variant)).toEqual(await layers(ours, variant));
});
