// What makes fragments reusable: two images that have one in common have the very same layer of it.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { attempt } from "@strata/engine";
import { engine } from "@strata/testing";
import { describe, expect, it } from "vitest";
import { imageOf } from "./node.js";

const SHARED = ["setup/setup-base", "runtime/entrypoint", "runtime/healthcheck"];

/** Digests of the layers that a plan has, by name, in order. */
async function planned(image: string, variant: string): Promise<Map<string, string>> {
  const file = fileURLToPath(new URL(`../../${image}/dist/${variant}/image.json`, import.meta.url));
  const { layers } = JSON.parse(await readFile(file, "utf8"));
  return new Map(layers.map(({ id, digest }: { id: string; digest: string }) => [id, digest]));
}

/** Layers of an image as the engine has them. */
async function built(reference: string): Promise<string[]> {
  const { stdout } = await attempt(engine.client, [
    "image",
    "inspect",
    "--format",
    "{{json .RootFS.Layers}}",
    reference,
  ]);
  return JSON.parse(stdout);
}

describe.each([
  { etcd: "3.5-trixie", postgresql: "17-trixie" },
  { etcd: "3.4-bookworm", postgresql: "15-bookworm" },
])("$etcd and PostgreSQL $postgresql", ({ etcd, postgresql }) => {
  it("have the same digests of the layers that they share, in their plans", async () => {
    const [ours, theirs] = [await planned("etcd", etcd), await planned("postgresql", postgresql)];
    for (const id of SHARED) {
      expect(ours.get(id), id).toMatch(/^[0-9a-f]{64}$|^sha256:/);
      expect(theirs.get(id), id).toBe(ours.get(id));
    }
  });

  it("have the same layers in the engine: base, setup-base, entrypoint and health check", async ({ skip }) => {
    const theirs = await built(`strata/postgresql:${postgresql}`).catch(() => undefined);
    if (!theirs) return skip(`strata/postgresql:${postgresql} is not built here: pnpm strata image postgresql`);
    const ours = await built(imageOf(etcd));
    const common = ours.filter((layer) => theirs.includes(layer));
    // The base has one layer; each fragment that adds to the image one more.
    const ids = [...(await planned("etcd", etcd)).keys()].filter((id) => id !== "metadata");
    const positions = ["base", ...SHARED].map((id) => ours[ids.indexOf(id)]);
    expect(ours).toHaveLength(ids.length);
    expect(common).toEqual(positions);
  });
});
