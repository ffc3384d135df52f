import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { buildImage, chooseVariants, defaultVariant, planImage, variantFolder } from "../src/build.js";
import type { ImageDefinition } from "../src/definition.js";
import { problemsOf, sampleImage, scratch, write } from "./helpers.js";

const { variants } = sampleImage();
const plain = { "15": { base: variants["15-bookworm"]!.base }, "17": { base: variants["17-trixie"]!.base } };

let folder: string;
let image: ImageDefinition;
beforeEach(async () => {
  folder = await scratch();
  await write(folder, { "package.json": '{"version":"1.0.0"}', "part/rootfs/etc/a.conf": "a" });
  const part = { name: "part", module: pathToFileURL(join(folder, "part/fragment.ts")).href, summary: "A part" };
  image = sampleImage({
    module: pathToFileURL(join(folder, "image.ts")).href,
    fragments: [part],
    variants: plain,
  });
});

describe("defaultVariant", () => {
  it("is the only one, or the one that says so", () => {
    expect(defaultVariant(sampleImage())).toBe("17-trixie");
    expect(defaultVariant(sampleImage({ variants: { only: variants["15-bookworm"]! } }))).toBe("only");
  });

  it("is an error where none or two say so", async () => {
    expect(await problemsOf(() => defaultVariant(image))).toContain("expected one default variant, found 0 of 2");
    const both = sampleImage({
      variants: { a: { ...plain["15"], default: true }, b: { ...plain["17"], default: true } },
    });
    expect(await problemsOf(() => defaultVariant(both))).toContain("found 2 of 2");
  });
});

describe("chooseVariants", () => {
  it("gives all of them, or the one that is named", () => {
    expect(chooseVariants(sampleImage())).toEqual(["17-trixie", "15-bookworm"]);
    expect(chooseVariants(sampleImage(), "15-bookworm")).toEqual(["15-bookworm"]);
  });

  it("names the nearest variant for an unknown one", async () => {
    expect(await problemsOf(() => chooseVariants(sampleImage(), "17-trixi"))).toContain('did you mean "17-trixie"?');
  });
});

describe("planImage", () => {
  it("tells what is wrong in all variants at once, and each problem once", async () => {
    const wrong = { ...image, user: "0:0", variants: { "15": plain["15"], "1 7": plain["17"] } };
    const text = await problemsOf(() => planImage(wrong, ["15", "1 7"]));
    expect(text.match(/user: expected/g)).toHaveLength(1);
    expect(text).toContain("variant 1 7");
  });
});

describe("buildImage", () => {
  it("renders each variant to dist/ beside the image", async () => {
    const plans = await buildImage(image, ["15", "17"]);
    expect(plans.map(({ variant }) => variant)).toEqual(["15", "17"]);
    expect(variantFolder(image, "17")).toBe(join(folder, "dist/17"));
    expect((await readdir(join(folder, "dist"))).sort()).toEqual(["15", "17"]);
    expect((await readdir(join(folder, "dist/17"))).sort()).toEqual([
      ".dockerignore",
      "Dockerfile",
      "Dockerfile.buildkit",
      "docker-bake.json",
      "environment.md",
      "fragments",
      "image.json",
    ]);
    expect(await readFile(join(folder, "dist/17/fragments/part.tar"))).toEqual(
      await readFile(join(folder, "part/dist/rootfs.tar")),
    );
  });

  it("removes folders of variants that the image no longer has, and leaves the others", async () => {
    await buildImage(image, ["15", "17"]);
    await write(folder, { "dist/13-source/Dockerfile": "old" });
    await buildImage(image, ["17"]);
    expect((await readdir(join(folder, "dist"))).sort()).toEqual(["15", "17"]);
  });

  it("takes away from a variant's folder what is no longer rendered", async () => {
    await buildImage(image, ["17"]);
    await write(folder, { "dist/17/fragments/gone/rootfs/x": "old" });
    await buildImage(image, ["17"]);
    expect(await readdir(join(folder, "dist/17/fragments"))).toEqual(["part.tar"]);
  });

  it("renders nothing at all when one variant is wrong", async () => {
    const wrong = { ...image, variants: { ...plain, "17": { base: { ...plain["17"].base, digest: "none" } } } };
    await problemsOf(() => buildImage(wrong, ["15", "17"]));
    expect((await readdir(folder)).sort()).toEqual(["package.json", "part"]);
  });

  it("lets two builds of one image at once both succeed", async () => {
    for (let round = 0; round < 5; round++) await Promise.all([buildImage(image, ["15"]), buildImage(image, ["17"])]);
    expect((await readdir(join(folder, "dist"))).sort()).toEqual(["15", "17"]);
  });

  it("keeps what it rendered when a fragment lies in the image's own folder", async () => {
    await write(folder, { "rootfs/etc/b.conf": "b" });
    const inline = { name: "inline", module: image.module, summary: "A part" };
    const own = { ...image, fragments: [inline] };
    // Either it works, variant after variant, or it says why such a fragment cannot be.
    const outcome = await buildImage(own, ["15"])
      .then(() => buildImage(own, ["17"]))
      .then(
        async () => (await readdir(join(folder, "dist"))).filter((name) => name in plain).sort(),
        (error: Error) => error.name,
      );
    expect([["15", "17"], "StrataError"]).toContainEqual(outcome);
  });
});
