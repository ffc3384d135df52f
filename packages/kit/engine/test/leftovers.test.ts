import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRoot } from "../src/install.js";
import { dropLeftovers, dropRules, staleRules } from "../src/leftovers.js";
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

const RULES = [
  "-P POSTROUTING ACCEPT",
  "-N DOCKER",
  "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
  "-A POSTROUTING -s 172.20.0.0/16 ! -o br-d0f1a7a64e9a -j MASQUERADE",
  "-A POSTROUTING -s 172.21.0.0/16 ! -o br-0123456789ab -j MASQUERADE",
  "-A DOCKER -i br-d0f1a7a64e9a -j RETURN",
  "-A DOCKER ! -i br-d0f1a7a64e9a -p tcp -m tcp --dport 32768 -j DNAT --to-destination 172.20.0.2:5432",
  "-A OWN -o br-lan -j MASQUERADE",
  "",
].join("\n");

describe("staleRules", () => {
  it("names the rules of bridges that are gone, and no other", () => {
    expect(staleRules(RULES, new Set(["lo", "docker0", "br-0123456789ab"])).map((words) => words.join(" "))).toEqual([
      "-D POSTROUTING -s 172.20.0.0/16 ! -o br-d0f1a7a64e9a -j MASQUERADE",
      "-D DOCKER -i br-d0f1a7a64e9a -j RETURN",
      "-D DOCKER ! -i br-d0f1a7a64e9a -p tcp -m tcp --dport 32768 -j DNAT --to-destination 172.20.0.2:5432",
    ]);
    expect(staleRules("", new Set())).toEqual([]);
  });
});

describe.skipIf(!isRoot() || process.platform !== "linux")("dropRules (needs root on Linux)", () => {
  const RULE = ["POSTROUTING", "-s", "192.0.2.0/28", "!", "-o", "br-000000000000", "-j", "MASQUERADE"];
  const table = (...words: string[]) => attempt("iptables", ["--wait", "-t", "nat", ...words]);

  it("takes away the rule of a bridge that is gone", async ({ skip }) => {
    const added = await table("-A", ...RULE);
    if (!added.ok) skip(`no rule can be added here: ${added.reason}`);
    expect(await dropRules()).toBeGreaterThanOrEqual(1);
    expect((await table("-C", ...RULE)).ok).toBe(false);
  });
});
