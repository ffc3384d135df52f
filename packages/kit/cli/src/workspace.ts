import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { chooseVariants, defaultVariant, type ImageDefinition, loadImage, nearest, pick } from "@strata/assembler";
import { fail } from "@strata/fragment";

/** The workspace's root at or above `from`, or undefined outside of one. */
export function workspaceRoot(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, "pnpm-workspace.yaml"))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** Folders with an image.ts: this one, else those in images/ of the workspace. */
async function imageFolders(cwd: string): Promise<string[]> {
  if (existsSync(join(cwd, "image.ts"))) return [cwd];
  const images = join(workspaceRoot(cwd) ?? cwd, "images");
  if (!existsSync(images)) return [];
  const names = await readdir(images);
  return names
    .sort()
    .map((name) => join(images, name))
    .filter((folder) => existsSync(join(folder, "image.ts")));
}

/** An image and the variants that a command was asked for. */
export interface Selection {
  readonly image: ImageDefinition;
  readonly variants: readonly string[];
}

/**
 * The image of that name. Its folder is called like it, as a rule, so that another image that cannot be loaded is in
 * nobody's way; only where no folder is, all of them are loaded.
 */
async function imageByName(name: string, folders: readonly string[]): Promise<ImageDefinition> {
  const likely = folders.find((folder) => basename(folder) === name);
  if (likely) {
    const image = await loadImage(likely);
    if (image.name === name) return image;
  }
  const images = await Promise.all(folders.map((folder) => loadImage(folder)));
  const only = images.length === 1 ? images[0] : undefined;
  const near = only && nearest(name, Object.keys(only.variants));
  if (near && name !== only.name) fail(`image ${name}`, `unknown image, and no variant of image ${only.name}`, near);
  return pick("image", name, Object.fromEntries(images.map((image) => [image.name, image])), "image");
}

/**
 * The image and variants that the words of a command name. Without an image: the one here, or the only one. Without a
 * variant: all of them, or the default one where a command takes one. One word may be a variant of the image here.
 * Raises a StrataError with the nearest name for an unknown one.
 * @param many whether all variants are meant where none is named; `built`: all but those built on demand
 */
export async function select(cwd: string, words: readonly string[], many: boolean | "built"): Promise<Selection> {
  const folders = await imageFolders(cwd);
  if (folders.length === 0)
    fail(
      `folder ${cwd}`,
      "expected an image.ts here, or a workspace with images/, found neither",
      "go to the image's folder",
    );
  const [first, second] = words;
  const only = folders.length === 1 && second === undefined ? await loadImage(folders[0]!) : undefined;
  if (only && first !== undefined && Object.hasOwn(only.variants, first)) return { image: only, variants: [first] };
  if (first === undefined && !only)
    fail(
      "image",
      `expected the name of one, found none; known: ${folders.map((at) => basename(at)).join(", ")}`,
      "name an image",
    );
  const image = first === undefined ? only! : await imageByName(first, folders);
  if (second === undefined && !many) return { image, variants: [defaultVariant(image)] };
  const variants = chooseVariants(image, second);
  if (second !== undefined || many !== "built") return { image, variants };
  return { image, variants: variants.filter((name) => !image.variants[name]!.onDemand) };
}
