import { describe, expect, it } from "vitest";
import { plan } from "../src/plan.js";
import { render } from "../src/render.js";
import { about, emitted, sampleFragments, sampleImage } from "./helpers.js";

async function rendered(variant = "17-trixie") {
  const fragments = await sampleFragments();
  return render(plan(sampleImage(), variant, fragments, about), fragments);
}

describe("render", () => {
  it.each(["17-trixie", "15-bookworm"])(
    "writes the whole folder of variant %s, as in the snapshots",
    async (variant) => {
      const files = await rendered(variant);
      for (const name of ["Dockerfile", "image.json", "docker-bake.json", "environment.md"])
        await expect(String(files.get(name))).toMatchFileSnapshot(`./__snapshots__/${variant}/${name}`);
      expect(files.get(".dockerignore")).toBe("*\n!fragments\n");
    },
  );

  it("puts every file of every fragment into the context, setup apart from the image", async () => {
    const names = [...(await rendered()).keys()].filter((name) => name.startsWith("fragments/")).sort();
    expect(names).toEqual([
      "fragments/entrypoint/rootfs/opt/container/entrypoint.sh",
      "fragments/entrypoint/rootfs/opt/container/environment.d/entrypoint.contract",
      "fragments/healthcheck/rootfs/opt/container/healthcheck.sh",
      "fragments/server/rootfs/etc/server/server.conf",
      "fragments/server/rootfs/opt/container/environment.d/server.contract",
      "fragments/server/rootfs/opt/container/modes/serve.sh",
      "fragments/setup-base/setup/apt.sh",
      "fragments/setup-base/setup/install.sh",
      "fragments/setup-server/setup/install.sh",
    ]);
  });

  it("is a Dockerfile that names nothing outside of its context", async () => {
    const files = await rendered();
    const text = String(files.get("Dockerfile"));
    const sources = [...text.matchAll(/fragments\/[^ ",]+/g)].map(([path]) => path.replace(/\/$/, ""));
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources)
      expect([...files.keys()].some((name) => name === source || name.startsWith(`${source}/`))).toBe(true);
  });

  it("is of the portable dialect: nothing that BuildKit 0.8 does not know", async () => {
    const text = String((await rendered()).get("Dockerfile"));
    expect(text).not.toMatch(/--link|<<|# syntax=|--parents|--exclude/);
  });

  it("reads no runtime file in a setup layer", async () => {
    const fragments = await sampleFragments();
    const { layers } = plan(sampleImage(), "17-trixie", fragments, about);
    for (const { kind, dockerfile } of layers) if (kind === "setup") expect(dockerfile).not.toContain("/rootfs");
  });

  it("takes the base as an ARG, and ends as a user other than root", async () => {
    const lines = String((await rendered()).get("Dockerfile"))
      .trim()
      .split("\n");
    const from = lines.filter((line) => line.startsWith("FROM "));
    expect(lines.find((line) => line.startsWith("ARG "))).toBe('ARG BASE_IMAGE="debian:trixie-slim"');
    expect(from.at(-1)).toBe("FROM ${BASE_IMAGE} AS final");
    expect(lines.at(-1)).toBe("USER 999:999");
  });

  it("builds by its bake file on the base that is pinned by digest", async () => {
    const bake = JSON.parse(String((await rendered()).get("docker-bake.json")));
    expect(bake.target.image.args.BASE_IMAGE).toBe(`debian:trixie-slim@sha256:${"a".repeat(64)}`);
    expect(bake.target.image.tags[0]).toBe("strata/sample:17-trixie");
  });

  it("is an image of its base and metadata where there are no fragments", () => {
    const files = render(
      plan(sampleImage({ variants: { v: { base: sampleImage().variants["17-trixie"]!.base } } }), "v", [], about),
      [],
    );
    expect(String(files.get("Dockerfile"))).toContain("FROM ${BASE_IMAGE} AS final");
  });

  it("keeps a binary file as it is", async () => {
    const fragment = await emitted("a", {}, { "opt/x": "x" });
    const bytes = Buffer.from([0, 255, 10, 13]);
    const files = render(
      plan(
        sampleImage({ variants: { v: { base: sampleImage().variants["17-trixie"]!.base } } }),
        "v",
        [fragment],
        about,
      ),
      [{ ...fragment, contents: new Map([["/opt/x", bytes]]) }],
    );
    expect(files.get("fragments/a/rootfs/opt/x")).toEqual(bytes);
  });
});
