import { describe, expect, it } from "vitest";
import type { Variant } from "../src/definition.js";
import { type Plan, plan } from "../src/plan.js";
import { about, emitted, problemsOf, sampleFragments, sampleImage } from "./helpers.js";

/** The plan of the sample image with these options. */
async function planned(options: object, leaveOut: readonly string[] = []): Promise<Plan> {
  const fragments = (await sampleFragments()).filter(({ manifest }) => !leaveOut.includes(manifest.name));
  const { base } = sampleImage().variants["17-trixie"]!;
  const variant: Variant = { base, options: options as Record<string, never> };
  return plan(sampleImage({ variants: { v: variant } }), "v", fragments, about);
}

const problems = (options: object, leaveOut?: readonly string[]): Promise<string> =>
  problemsOf(() => planned(options, leaveOut));

describe("what a component supports", () => {
  it.each([
    ["15", "2.0"],
    ["17", "2.0"],
    ["13", "1.0"],
    ["15", "1.0"],
  ])("takes major %s with release %s", async (major, version) => {
    const { layers } = await planned({ "setup-server": { major }, "setup-extension": { version } });
    expect(layers.map(({ id }) => id)).toContain("component/setup-extension");
  });

  it("refuses another one with the range that would do, and the releases that support it", async () => {
    const text = await problems({ "setup-server": { major: "13" } });
    expect(text).toContain(
      "variant v, fragment setup-extension: version 2.0 supports major 15 to 17 of setup-server, found 13",
    );
    expect(text).toContain("choose a release that begins with 1.");
    expect(await problems({ "setup-server": { major: "18" } })).toContain("or leave the fragment out");
  });
});

describe("a source", () => {
  it("is planned for the release that the variant has", async () => {
    const { stages } = await planned({ "setup-extension": { version: "1.0" }, "setup-server": { major: "15" } });
    expect(stages.at(-1)).toMatchObject({
      id: "build-setup-extension",
      optional: true,
      sources: [
        {
          name: "extension",
          file: "extension-1.0.tar.gz",
          url: "https://example.com/v1.0.tar.gz",
          sha256: "1".repeat(64),
        },
      ],
    });
  });

  it("of a release whose sum nobody knows is refused, unless its sum is given", async () => {
    const text = await problems({ "setup-extension": { version: "2.1" } });
    expect(text).toContain("no sum of release 2.1 of extension is known, expected one of 1.0, 2.0");
    expect(text).toContain("set its sum in option sum");
    const sum = "f".repeat(64);
    const { stages } = await planned({ "setup-extension": { version: "2.1", sum } });
    expect(stages.at(-1)?.sources[0]?.sha256).toBe(sum);
  });

  it("of a fragment that is not compiled is of no matter", async () => {
    expect((await planned({ "setup-server": { release: "99" } })).stages.map(({ id }) => id)).toEqual([
      "toolchain",
      "build-setup-extension",
    ]);
    expect(await problems({ "setup-server": { channel: "source", release: "99" } })).toContain(
      "no sum of release 99 of server is known, expected one of 15.1",
    );
  });
});

describe("a stage", () => {
  it("is built on what it needs only where that is compiled too", async () => {
    const text = async (channel: string): Promise<string> =>
      (await planned({ "setup-server": { channel } })).stages.at(-1)!.dockerfile;
    expect(await text("debian")).not.toContain("COPY --from");
    expect(await text("source")).toContain("COPY --from=build-setup-server /out/ /");
  });

  it("has the values of the ARGs it reads", async () => {
    const { stages } = await planned({ "setup-server": { major: "16" } });
    for (const { dockerfile } of stages) expect(dockerfile).toContain('ARG SERVER_MAJOR="16"');
  });

  it("needs a toolchain, and the image has one of them", async () => {
    const fragments = await sampleFragments();
    const { base } = sampleImage().variants["17-trixie"]!;
    const image = sampleImage({ variants: { v: { base } } });
    const second = await emitted("other", { setup: { toolchain: "t.sh" } }, { "mnt/setup/other/t.sh": "t" });
    expect(await problemsOf(() => plan(image, "v", [...fragments, second], about))).toContain(
      "fragments other and setup-toolchain: each make the toolchain",
    );
    const alone = await emitted(
      "alone",
      { setup: { build: { script: "b.sh", sources: [] } } },
      { "mnt/setup/alone/b.sh": "b" },
    );
    expect(await problemsOf(() => plan(image, "v", [alone], about))).toContain("no fragment makes a toolchain");
  });

  it("reads no ARG that nobody has", async () => {
    const reading = (reads: string[]) =>
      emitted("odd", { setup: { install: "i.sh", reads } }, { "mnt/setup/odd/i.sh": "i" });
    const { base } = sampleImage().variants["17-trixie"]!;
    const image = sampleImage({ variants: { v: { base } } });
    const odd = await reading(["NOBODYS"]);
    expect(await problemsOf(() => plan(image, "v", [odd], about))).toContain("reads ARG NOBODYS");
    // One that it does without has no value then.
    const layers = plan(image, "v", [await reading(["NOBODYS?"])], about).layers;
    expect(layers.find(({ id }) => id === "setup/odd")!.dockerfile).toMatch(/^ARG NOBODYS$/m);
  });
});

describe("a new release of a component", () => {
  it("changes its stage and its copy, and nothing else", async () => {
    const [before, after] = await Promise.all(
      ["2.0", "1.0"].map((version) => planned({ "setup-extension": { version }, "setup-server": { major: "15" } })),
    );
    const digests = ({ stages, layers }: Plan): [string, string][] =>
      [...stages, ...layers].map(({ id, digest }) => [id, digest]);
    const old = new Map(digests(before!));
    const changed = digests(after!).filter(([id, digest]) => old.get(id) !== digest);
    expect(changed.map(([id]) => id)).toEqual(["build-setup-extension", "component/setup-extension"]);
  });
});
