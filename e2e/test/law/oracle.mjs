// @ts-check
// What the packages of a workspace emit, made afresh from their sources: nothing of Turbo's, nothing of dist/ is read.
// node oracle.mjs <root>: a JSON object, by package sha256 of every file in dist/ by its path. In a process of its own, as
// definitions are modules.
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = process.argv[2] ?? ".";
const kit = (/** @type {string} */ name) =>
  import(pathToFileURL(join(root, "packages", "kit", name, "dist", "index.js")).href);
const { emission, fragmentFolder, ManifestSchema, packageName, packageVersion } = await kit("fragment");
const { loadImage, loadImagePackage, plan, render } = await kit("assembler");

const sum = (/** @type {string | Uint8Array} */ content) => createHash("sha256").update(content).digest("hex");
/** @type {(files: Iterable<[string, string | Uint8Array]>) => Record<string, string>} */
const sums = (files) => Object.fromEntries([...files].map(([path, content]) => [path, sum(content)]));

/** @type {Record<string, Record<string, string>>} */
const emitted = {};

/**
 * Adds what an image and its fragments emit.
 * @param {string} folder the image's
 */
async function add(folder) {
  const fragments = [];
  const image = await loadImage(folder);
  for (const definition of image.fragments) {
    const at = fragmentFolder(definition);
    const { files } = await emission(definition, await packageVersion(at));
    // As whoever reads the file gets it: with the keys in the schema's order.
    const manifest = ManifestSchema.parse(JSON.parse(String(files.get("fragment.json"))));
    emitted[await packageName(at)] = sums(files);
    const text = (/** @type {string} */ part) =>
      files.has(`${part}.Dockerfile`) ? { [part]: String(files.get(`${part}.Dockerfile`)) } : {};
    fragments.push({
      manifest,
      dockerfiles: { ...text("setup"), ...text("runtime") },
      contents: new Map(
        manifest.files.map((/** @type {{ path: string }} */ { path }) => [path, files.get(`rootfs${path}`)]),
      ),
      archive: files.get("rootfs.tar"),
    });
  }
  const about = await loadImagePackage(image);
  const rendered = Object.keys(image.variants).flatMap((variant) => {
    const files = [...render(plan(image, variant, fragments, about), fragments)];
    return files.map(
      ([path, content]) => /** @type {[string, string | Uint8Array]} */ ([`${variant}/${path}`, content]),
    );
  });
  emitted[await packageName(folder)] = sums(rendered);
}

const images = join(root, "images");
for (const name of readdirSync(images).filter((name) => existsSync(join(images, name, "image.ts"))))
  await add(join(images, name));
process.stdout.write(JSON.stringify(emitted));
