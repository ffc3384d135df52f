import type { EmittedFragment } from "@strata/fragment";
import { describe, expect, it } from "vitest";
import { explain, rebuilt } from "../src/explain.js";
import { type Plan, plan } from "../src/plan.js";
import { about, emitted, sampleFragments, sampleImage } from "./helpers.js";

async function planned(options: object = {}, replaced: readonly EmittedFragment[] = []): Promise<Plan> {
  const names = new Set(replaced.map(({ manifest }) => manifest.name));
  const fragments = (await sampleFragments()).filter(({ manifest }) => !names.has(manifest.name));
  const { base } = sampleImage().variants["17-trixie"]!;
  const image = sampleImage({ variants: { v: { base, options: options as Record<string, never> } } });
  return plan(image, "v", [...fragments, ...replaced], about);
}

const reasons = (before: Plan, after: Plan): Record<string, string> => Object.fromEntries(explain(before, after));

describe("explain", () => {
  it("has nothing to say where nothing changed", async () => {
    expect(reasons(await planned(), await planned())).toEqual({});
  });

  it("names the option and both values, and the copy of what is compiled anew", async () => {
    const [before, after] = [
      await planned({ "setup-server": { major: "15" } }),
      await planned({ "setup-server": { major: "15" }, "setup-extension": { version: "1.0" } }),
    ];
    expect(reasons(before, after)).toEqual({
      "build-setup-extension": "option version 2.0 → 1.0",
      "component/setup-extension": "option version 2.0 → 1.0",
    });
  });

  it("names files that changed, are new or gone, and modes", async () => {
    const server = (modes: Record<string, string>, files: Record<string, string>) => emitted("plain", { modes }, files);
    const before = await planned({}, [await server({}, { "a.sh": "a", "b.conf": "b", "c.conf": "c" })]);
    const after = await planned({}, [
      await server({ "/b.conf": "0600" }, { "a.sh": "A", "b.conf": "b", "d.conf": "d" }),
    ]);
    expect(reasons(before, after)).toEqual({
      "runtime/plain": "/a.sh changed, mode of /b.conf 0644 → 0600, /c.conf is gone and 1 more",
    });
  });

  it("names both bases, and what is compiled on them", async () => {
    const { base } = sampleImage().variants["17-trixie"]!;
    const moved = { ...base, digest: `sha256:${"c".repeat(64)}` };
    const after = plan(sampleImage({ variants: { v: { base: moved } } }), "v", await sampleFragments(), about);
    const why = `the base ${base.name}@${base.digest} → ${base.name}@${moved.digest}`;
    expect(reasons(await planned(), after)).toEqual({
      base: why,
      toolchain: why,
      "build-setup-extension": `toolchain changed: ${why}`,
      "component/setup-extension": `build-setup-extension changed: toolchain changed: ${why}`,
    });
  });

  it("follows a change of the toolchain to what is compiled with it", async () => {
    const tools = await emitted(
      "setup-toolchain",
      {
        dependsOn: ["setup-base"],
        setup: { toolchain: "toolchain.sh", uses: ["setup-base"], reads: ["SERVER_MAJOR"], buildPackages: ["gcc"] },
      },
      { "mnt/setup/setup-toolchain/toolchain.sh": "another\n" },
    );
    const why = "/mnt/setup/setup-toolchain/toolchain.sh changed";
    expect(reasons(await planned(), await planned({}, [tools]))).toEqual({
      toolchain: why,
      "build-setup-extension": `toolchain changed: ${why}`,
      "component/setup-extension": `build-setup-extension changed: toolchain changed: ${why}`,
    });
  });

  it("calls a fragment new that was not there", async () => {
    const fresh = await emitted("fresh", {}, { "etc/x": "x" });
    expect(reasons(await planned(), await planned({}, [fresh]))).toEqual({ "runtime/fresh": "it is new" });
  });

  it("shows the first instruction that is another one", async () => {
    const one = await emitted("port", { runtime: { expose: [80] } });
    const two = await emitted("port", { runtime: { expose: [81] } });
    expect(reasons(await planned({}, [one]), await planned({}, [two]))).toEqual({
      "runtime/port": "its instructions changed: EXPOSE 81",
    });
  });
});

describe("rebuilt", () => {
  const ids = (before: Plan, after: Plan, dialect: "portable" | "buildkit"): string[] => [
    ...rebuilt(before, after, dialect).keys(),
  ];
  const script = (text: string) => emitted("healthcheck", { dependsOn: ["entrypoint"] }, { "opt/check.sh": text });

  it("takes the layers after it along in the portable dialect, and none in the other", async () => {
    const [before, after] = [await planned({}, [await script("a")]), await planned({}, [await script("b")])];
    expect(ids(before, after, "portable")).toEqual(["runtime/healthcheck", "runtime/server"]);
    expect(rebuilt(before, after, "portable").get("runtime/server")).toBe(
      "a layer before it changed: runtime/healthcheck",
    );
    expect(ids(before, after, "buildkit")).toEqual(["runtime/healthcheck"]);
  });

  it("takes what runs in the image along after an option in both, and linked layers in one", async () => {
    const [before, after] = [await planned(), await planned({ "setup-base": { user: "other" } })];
    const run = ["setup/setup-base", "setup/setup-server"];
    expect(ids(before, after, "buildkit")).toEqual(run);
    expect(ids(before, after, "portable")).toEqual([
      ...run,
      "component/setup-extension",
      "runtime/entrypoint",
      "runtime/healthcheck",
      "runtime/server",
    ]);
  });

  it("builds a component and its copy alone for a new release, where copies are linked", async () => {
    const [before, after] = [
      await planned({ "setup-server": { major: "15" } }),
      await planned({ "setup-server": { major: "15" }, "setup-extension": { version: "1.0" } }),
    ];
    expect(ids(before, after, "buildkit")).toEqual(["build-setup-extension", "component/setup-extension"]);
  });
});
