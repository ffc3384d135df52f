import { describe, expect, it } from "vitest";
import { plan } from "../src/plan.js";
import { render } from "../src/render.js";
import { about, sampleFragments, sampleImage } from "./helpers.js";

async function rendered(variant = "17-trixie") {
  const fragments = await sampleFragments();
  return render(plan(sampleImage(), variant, fragments, about), fragments);
}

describe("render", () => {
  it.each(["17-trixie", "15-bookworm"])(
    "writes the whole folder of variant %s, as in the snapshots",
    async (variant) => {
      const files = await rendered(variant);
      for (const name of ["Dockerfile", "Dockerfile.buildkit", "image.json", "docker-bake.json", "environment.md"])
        await expect(String(files.get(name))).toMatchFileSnapshot(`./__snapshots__/${variant}/${name}`);
    },
  );

  it("has the engine take the fragments' own files alone: Turbo may have left others in the folder", async () => {
    const files = await rendered();
    const taken = [...files.keys()].filter((name) => name.startsWith("fragments/")).sort();
    const lines = ["*", ...taken.map((name) => `!${name}`), "!sources", "!artifacts"];
    expect(files.get(".dockerignore")).toBe(`${lines.join("\n")}\n`);
  });

  it("puts every fragment into the context: setup files, one archive for the image, and what is compiled", async () => {
    const names = [...(await rendered()).keys()].filter((name) => name.includes("/")).sort();
    expect(names).toEqual([
      "fragments/entrypoint.tar",
      "fragments/healthcheck.tar",
      "fragments/server.tar",
      "fragments/setup-base/setup/apt.sh",
      "fragments/setup-base/setup/install.sh",
      "fragments/setup-extension/setup/build.sh",
      "fragments/setup-server/setup/build.sh",
      "fragments/setup-server/setup/install.sh",
      "fragments/setup-toolchain/setup/toolchain.sh",
      "sources/setup-extension/SOURCES",
      "stages/setup-extension",
    ]);
  });

  it("is a Dockerfile that names nothing outside of its context", async () => {
    const files = await rendered();
    const text = String(files.get("Dockerfile"));
    const sources = [...text.matchAll(/(?:fragments|sources)\/[^ ",]+/g)].map(([path]) => path.replace(/\/$/, ""));
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
    for (const { kind, dockerfile } of layers) if (kind === "setup") expect(dockerfile).not.toContain(".tar");
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

  it("links what it copies and names the context of sources in the buildkit dialect, and is otherwise the same", async () => {
    const files = await rendered("15-bookworm");
    const [portable, buildkit] = ["Dockerfile", "Dockerfile.buildkit"].map((name) => String(files.get(name)));
    const lines = buildkit!.split("\n").filter((line) => /^(COPY|ADD) .* \/$/.test(line));
    expect(lines).toContain("COPY --link --from=build-setup-extension /out/ /");
    expect(lines).toContain("ADD --link fragments/entrypoint.tar /");
    expect(lines.filter((line) => !line.includes("--link"))).toEqual(["COPY sources/ /"]);
    expect(buildkit).toContain("--mount=type=bind,from=sources,source=setup-extension,target=/mnt/sources");
    const same = buildkit!
      .replace(
        "# the sources that are at hand; the named context `sources` takes its place\nFROM scratch AS sources\nCOPY sources/ /\n\n",
        "",
      )
      .replaceAll(" --link", "")
      .replaceAll("from=sources,source=", "source=sources/");
    expect(same.split("\n").slice(2)).toEqual(portable!.split("\n").slice(2));
  });

  it("unpacks what an earlier build made instead of compiling it, and leaves out the stages that nobody needs then", async () => {
    const fragments = await sampleFragments();
    const planned = plan(sampleImage(), "17-trixie", fragments, about);
    const files = render(planned, fragments, { artifacts: new Map([["setup-extension", Buffer.from("tar")]]) });
    const text = String(files.get("Dockerfile"));
    expect(text).toContain("FROM scratch AS build-setup-extension\nADD artifacts/setup-extension.tar /out/\n");
    expect(text).not.toContain("toolchain AS");
    expect(text).not.toContain("FROM ${BASE_IMAGE} AS toolchain");
    expect(files.get("artifacts/setup-extension.tar")).toEqual(Buffer.from("tar"));
  });

  it("keeps the toolchain for the components that have no artifact", async () => {
    const fragments = await sampleFragments();
    const planned = plan(sampleImage(), "15-bookworm", fragments, about);
    const files = render(planned, fragments, { artifacts: new Map([["setup-extension", Buffer.from("tar")]]) });
    expect(String(files.get("Dockerfile"))).toContain("FROM toolchain AS build-setup-server");
  });

  it("leaves no trace of a fragment that is left out, but the label that names it", async () => {
    const fragments = await sampleFragments();
    const without = [{ fragment: "setup-extension", reason: "no source" }];
    const planned = plan(sampleImage(), "17-trixie", fragments, about, { without });
    const files = render(planned, fragments);
    expect([...files.keys()].filter((name) => name.includes("setup-extension"))).toEqual([]);
    const text = String(files.get("Dockerfile"));
    expect(text.match(/.*setup-extension.*/g)).toEqual([
      expect.stringContaining('dev.strata.without="setup-extension"'),
    ]);
    expect(planned.without).toEqual(without);
  });
});
