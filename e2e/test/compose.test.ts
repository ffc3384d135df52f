import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt, findEngine, freePort } from "@strata/engine";
import { expect, it } from "vitest";
import { must, ROOT, Scratch, sh } from "./scratch.js";

const engine = await findEngine();

/** The files of the README's example: a path in back quotes on a line of its own, then a block. */
function exampleFiles(readme: string): Map<string, string> {
  const files = [...readme.matchAll(/^`([\w./-]+)`\n\n```\w+\n([\s\S]*?)^```$/gm)];
  return new Map(files.map(([, path, content]) => [path!, content!]));
}

it("builds and runs the README's example outside of the repository, from packed packages", async () => {
  await using packed = await Scratch.empty();
  await using mine = await Scratch.empty();
  const filter = ["--recursive", "--filter", "./packages/**", "exec"];
  await must(ROOT, "pnpm", ...filter, "pnpm", "pack", "--pack-destination", packed.folder);
  const example = exampleFiles(await readFile(join(ROOT, "README.md"), "utf8"));
  expect([...example.keys()]).toContain("image.ts");
  for (const [path, content] of example) await mine.write(path, content);
  const tarballs = (await readdir(packed.folder)).map((name) => join(packed.folder, name));
  await must(mine.folder, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs);

  const name = `strata-test-${randomBytes(6).toString("hex")}`;
  const port = String(await freePort(21211));
  try {
    const built = await sh(mine.folder, "npx", ["strata", "image"]);
    expect(built.stderr).toContain("strata/memcached:trixie");
    const up = await sh(mine.folder, "npx", ["strata", "up", "--name", name, "--port", port]);
    expect(up.stderr).toContain(`healthy ${name} on 127.0.0.1:${port}`);
    const health = await attempt(engine.client, [
      "exec",
      name,
      "/opt/container/entrypoint.d/scripts/runtime/healthcheck.sh",
    ]);
    expect(health.stdout).toContain("memcached answers: VERSION");
    expect((await attempt(engine.client, ["top", name, "-eo", "uid"])).stdout).not.toMatch(/^\s*0$/m);

    const taken = await sh(mine.folder, "npx", ["strata", "up", "--name", `${name}-2`, "--port", port]);
    expect(taken.code).toBe(1);
    expect(taken.stderr).toMatch(
      new RegExp(`port ${port}: expected it to be free on 127.0.0.1, found it taken\\n.*--port \\d+`),
    );
  } finally {
    await sh(mine.folder, "npx", ["strata", "down", "--name", name, "--volumes"]);
    await attempt(engine.client, ["rmi", "strata/memcached:trixie", "strata/memcached:latest"]);
  }
});
