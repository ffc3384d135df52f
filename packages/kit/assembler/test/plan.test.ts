import { type AnyFragment, type EmittedFragment, option } from "@strata/fragment";
import { describe, expect, it } from "vitest";
import { type Plan, plan } from "../src/plan.js";
import { render } from "../src/render.js";
import { splitDockerfile } from "../src/sections.js";
import { about, dice, emitted, sampleFragments, sampleImage, shuffled } from "./helpers.js";

const digests = (planned: Plan): Record<string, string> =>
  Object.fromEntries([
    ...planned.stages.map(({ id, digest }) => [`stage/${id}`, digest] as const),
    ...planned.layers.map(({ id, digest }) => [id, digest] as const),
  ]);

/** The ids whose digests differ. */
function changed(before: Plan, after: Plan): string[] {
  const [a, b] = [digests(before), digests(after)];
  return Object.keys({ ...a, ...b })
    .filter((id) => a[id] !== b[id])
    .sort();
}

describe("plan", () => {
  it("orders layers by how seldom they change: base, setup, components, runtime, metadata", async () => {
    const planned = plan(sampleImage(), "17-trixie", await sampleFragments(), about);
    expect(planned.layers.map(({ id }) => id)).toEqual([
      "base",
      "setup/setup-base",
      "setup/setup-server",
      "component/setup-extension",
      "runtime/entrypoint",
      "runtime/healthcheck",
      "runtime/server",
      "metadata",
    ]);
    expect(planned.stages.map(({ id, needs }) => [id, needs])).toEqual([
      ["toolchain", []],
      ["build-setup-extension", ["toolchain"]],
    ]);
  });

  it("names the image by its variant first, then by its other tags", async () => {
    const fragments = await sampleFragments();
    expect(plan(sampleImage(), "17-trixie", fragments, about).tags).toEqual([
      "strata/sample:17-trixie",
      "strata/sample:17",
      "strata/sample:latest",
    ]);
    const elsewhere = sampleImage({ repository: "registry.example:5000/team/sample" });
    expect(plan(elsewhere, "15-bookworm", fragments, about).tags).toEqual([
      "registry.example:5000/team/sample:15-bookworm",
      "registry.example:5000/team/sample:15",
    ]);
  });

  it("gathers labels, options, ports, volumes and the environment contract with its owners", async () => {
    const planned = plan(sampleImage(), "15-bookworm", await sampleFragments(), about);
    expect(planned.labels).toEqual({
      "org.opencontainers.image.title": "Sample",
      "org.opencontainers.image.description": 'A sample for 5$ and "more"',
      "org.opencontainers.image.version": "1.2.3",
      "org.opencontainers.image.licenses": "MIT",
      "org.opencontainers.image.source": "https://example.com/sample",
      "org.opencontainers.image.base.name": "debian:bookworm-slim",
    });
    expect(planned.fragments.find(({ name }) => name === "setup-server")?.options).toEqual({
      major: "15",
      channel: "source",
      jit: false,
      release: "15.1",
    });
    expect([planned.expose, planned.volumes]).toEqual([[5432], ["/data"]]);
    expect(Object.entries(planned.environment).map(([name, { fragment }]) => [name, fragment])).toEqual([
      ["TIMEOUT", "entrypoint"],
      ["LOG_LEVEL", "entrypoint"],
      ["SERVER_PASSWORD", "server"],
      ["SERVER_DATA", "server"],
    ]);
  });

  it("puts the variant's options in place of the defaults, and only those", async () => {
    const planned = plan(sampleImage(), "15-bookworm", await sampleFragments(), about);
    const text = planned.layers.find(({ id }) => id === "setup/setup-server")!.dockerfile;
    expect(text).toContain('ARG SERVER_MAJOR="15"');
    expect(text).toContain('ARG SERVER_CHANNEL="source"');
    expect(text).toContain('ARG SERVER_JIT="false"');
    expect(planned.layers.find(({ id }) => id === "setup/setup-base")!.dockerfile).toContain('ARG BASE_USER="app"');
  });

  it("quotes an option's value, whatever it holds", async () => {
    const image = sampleImage();
    const variant = image.variants["17-trixie"]!;
    const hostile = 'a "b" $HOME \\ `id` ; #';
    const given = sampleImage({
      variants: { v: { ...variant, options: { "setup-base": { user: hostile } } as typeof variant.options & object } },
    });
    const planned = plan(given, "v", await sampleFragments(), about);
    const text = planned.layers.find(({ id }) => id === "setup/setup-base")!.dockerfile;
    expect(text).toContain('ARG BASE_USER="a \\"b\\" \\$HOME \\\\ `id` ; #"');
  });

  it("changes neither definition nor fragments", async () => {
    const [image, fragments] = [sampleImage(), await sampleFragments()];
    const before = structuredClone(image);
    const manifests = structuredClone(fragments.map(({ manifest }) => manifest));
    plan(image, "17-trixie", fragments, about);
    expect(image).toEqual(before);
    expect(fragments.map(({ manifest }) => manifest)).toEqual(manifests);
  });

  it("gives the same bytes, rendered too, whatever order the fragments are given in", async () => {
    const fragments = await sampleFragments();
    const expected = plan(sampleImage(), "17-trixie", fragments, about);
    const files = (given: EmittedFragment[]) =>
      [...render(plan(sampleImage(), "17-trixie", given, about), given)].sort(([a], [b]) => (a < b ? -1 : 1));
    const expectedFiles = files(fragments);
    const roll = dice(7);
    for (let round = 0; round < 50; round++) {
      const other = shuffled(fragments, roll);
      expect(JSON.stringify(plan(sampleImage(), "17-trixie", other, about))).toBe(JSON.stringify(expected));
      expect(files(other)).toEqual(expectedFiles);
    }
  });
});

describe("a layer's digest", () => {
  const image = sampleImage({
    variants: { v: { base: sampleImage().variants["17-trixie"]!.base } },
  });

  type Change = { definition?: Partial<AnyFragment>; files?: Record<string, string> };

  /** An image of a setup fragment whose files another uses, and a runtime fragment; each may be changed. */
  async function planned(changes: Readonly<Record<string, Change>> = {}, options?: object): Promise<Plan> {
    const make = (name: string, definition: Partial<AnyFragment>, files: Record<string, string>) =>
      emitted(name, { ...definition, ...changes[name]?.definition }, changes[name]?.files ?? files);
    const fragments = await Promise.all([
      make(
        "base",
        { setup: { install: "i.sh" }, options: { user: option.string({ arg: "USER_NAME", default: "app" }) } },
        { "mnt/setup/base/i.sh": "one", "mnt/setup/base/lib.sh": "lib" },
      ),
      make(
        "server",
        { dependsOn: ["base"], setup: { install: "i.sh", uses: ["base"] } },
        { "mnt/setup/server/i.sh": "one" },
      ),
      make("run", {}, { "etc/run.conf": "a", "opt/run.sh": "b" }),
      make("other", {}, { "etc/other.conf": "a" }),
    ]);
    const given = options
      ? sampleImage({ variants: { v: { ...image.variants.v!, options: options as Record<string, never> } } })
      : image;
    return plan(given, "v", fragments, about);
  }

  it("does not change when nothing does", async () => {
    expect(changed(await planned(), await planned())).toEqual([]);
  });

  it.each<[string, Record<string, Change>, string[]]>([
    ["a byte", { run: { files: { "etc/run.conf": "A", "opt/run.sh": "b" } } }, ["runtime/run"]],
    ["a path", { run: { files: { "etc/run2.conf": "a", "opt/run.sh": "b" } } }, ["runtime/run"]],
    ["a file more", { run: { files: { "etc/run.conf": "a", "opt/run.sh": "b", x: "" } } }, ["runtime/run"]],
    ["a mode", { run: { definition: { modes: { "/etc/run.conf": "0600" } } } }, ["runtime/run"]],
    ["a setting of the image", { run: { definition: { runtime: { expose: [80] } } } }, ["runtime/run"]],
    ["a summary", { run: { definition: { summary: "Another" } } }, []],
    ["a setup file", { server: { files: { "mnt/setup/server/i.sh": "two" } } }, ["setup/server"]],
    [
      "a setup file that another uses",
      { base: { files: { "mnt/setup/base/i.sh": "one", "mnt/setup/base/lib.sh": "LIB" } } },
      ["setup/base", "setup/server"],
    ],
  ])("changes for %s, in that fragment's layers alone", async (_, changes, expected) => {
    expect(changed(await planned(), await planned(changes))).toEqual(expected);
  });

  it("changes for an option, in that fragment's layer alone", async () => {
    expect(changed(await planned(), await planned({}, { base: { user: "postgres" } }))).toEqual(["setup/base"]);
  });

  it("does not change for an option that is set to its default", async () => {
    expect(changed(await planned(), await planned({}, { base: { user: "app" } }))).toEqual([]);
  });

  it("changes for the base and what is compiled on it when the base moves, and for the metadata with a release", async () => {
    const fragments = await sampleFragments();
    const first = sampleImage().variants["17-trixie"]!;
    const moved = { ...first, base: { ...first.base, digest: `sha256:${"c".repeat(64)}` } };
    const before = plan(sampleImage(), "17-trixie", fragments, about);
    const after = plan(sampleImage({ variants: { "17-trixie": moved } }), "17-trixie", fragments, about);
    expect(changed(before, after)).toEqual([
      "base",
      "component/setup-extension",
      "stage/build-setup-extension",
      "stage/toolchain",
    ]);
    const released = plan(sampleImage(), "17-trixie", fragments, { ...about, version: "1.2.4" });
    expect(changed(before, released)).toEqual(["metadata"]);
  });

  it("tells contents apart that would be alike written one after another", async () => {
    const one = await planned({ run: { files: { "a.conf": "", "b.conf": "x" } } });
    const two = await planned({ run: { files: { "a.conf": "x", "b.conf": "" } } });
    expect(changed(one, two)).toEqual(["runtime/run"]);
  });
});

describe("splitDockerfile", () => {
  it("parts stages of its own, instructions for the image, and the copy of what was compiled", () => {
    const text =
      "# strata:stage a\nFROM x AS a\nRUN y\n\n# strata:stage b\nFROM a AS b\n# strata:image\nCMD []\n# strata:component\nCOPY z\n";
    expect(splitDockerfile(text)).toEqual({
      stages: new Map([
        ["a", "FROM x AS a\nRUN y"],
        ["b", "FROM a AS b"],
      ]),
      image: "CMD []",
      component: "COPY z",
    });
    expect(splitDockerfile("CMD []\n")).toEqual({ stages: new Map(), image: "CMD []", component: "" });
  });
});
