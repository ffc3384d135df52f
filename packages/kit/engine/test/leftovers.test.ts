import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRoot } from "../src/install.js";
import { dropLeftovers } from "../src/leftovers.js";
import { attempt } from "../src/run.js";

const folder = mkdtempSync(join(tmpdir(), "strata-netns-"));
/** A namespace that is kept at a path, and a command that runs in it. */
const kept = (name: string, ...command: string[]) => {
  const path = join(folder, name);
  writeFileSync(path, "");
  return execa("unshare", [`--net=${path}`, ...command], { reject: false });
};

describe.skipIf(!isRoot() || process.platform !== "linux")("dropLeftovers (needs root on Linux)", () => {
  let alive: ReturnType<typeof kept>;

  beforeAll(async () => {
    // The end of its first line says that it is inside.
    alive = kept("alive", "sh", "-c", "echo inside; exec sleep 60");
    await new Promise((resolve) => alive.stdout?.once("data", resolve));
    await kept("left", "true");
  });
  afterAll(async () => {
    alive?.kill();
    await alive;
    for (const name of readdirSync(folder)) await attempt("umount", [join(folder, name)]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("takes away the network namespaces that no process is in, and keeps the others", async () => {
    expect(readdirSync(folder).sort()).toEqual(["alive", "left"]);
    expect(await dropLeftovers(folder)).toBe(1);
    expect(readdirSync(folder)).toEqual(["alive"]);
    expect(await dropLeftovers(folder)).toBe(0);
  });

  it("has nothing to do where there is no such folder", async () => {
    expect(await dropLeftovers(join(folder, "none"))).toBe(0);
  });
});
