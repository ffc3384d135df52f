import { existsSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import {
  type AnyFragment,
  type EmittedFragment,
  emission,
  emit,
  fail,
  fragmentFolder,
  ManifestSchema,
  Problems,
  packageVersion,
  readFragment,
} from "@strata/fragment";
import { createJiti } from "jiti";
import type { ImageDefinition } from "./definition.js";
import type { ImagePackage } from "./plan.js";

/**
 * Where transformed definitions are kept, by their content: in the nearest node_modules, as other tools do. Without it
 * every run loads a compiler first. False where there is none: a folder that others may write to is no place for what
 * this program will run.
 */
function definitionCache(file: string): string | false {
  for (let at = dirname(file); ; at = dirname(at)) {
    if (existsSync(join(at, "node_modules"))) return join(at, "node_modules", ".cache", "strata");
    if (dirname(at) === at) return false;
  }
}

async function importDefault(file: string, subject: string, fix: string): Promise<unknown> {
  if (!existsSync(file)) fail(subject, `expected ${file}, found nothing`, fix);
  const load = (fsCache: string | false): Promise<unknown> =>
    createJiti(import.meta.url, { fsCache, moduleCache: false, interopDefault: true }).import(file, { default: true });
  const cache = definitionCache(file);
  try {
    return await load(cache).catch((error: NodeJS.ErrnoException) => {
      // A cache that cannot be written, on a full disk or as another user, is no reason to stop.
      if (cache && error.path?.startsWith(cache)) return load(false);
      throw error;
    });
  } catch (error) {
    return fail(
      subject,
      `${file} cannot be loaded: ${(error as Error).message}`,
      "correct the file, or install what it imports",
    );
  }
}

/** Loads the definition in `<folder>/fragment.ts`. */
export async function loadFragment(folder: string): Promise<AnyFragment> {
  const file = join(folder, "fragment.ts");
  const loaded = (await importDefault(file, `fragment in ${folder}`, "run this in a fragment's folder")) as AnyFragment;
  if (typeof loaded?.name !== "string" || typeof loaded.module !== "string")
    fail(
      `fragment in ${folder}`,
      `${file} does not export a fragment with a name and a module`,
      "export default defineFragment({ name, module: import.meta.url, … })",
    );
  return loaded;
}

/** Loads the definition in `<folder>/image.ts`. */
export async function loadImage(folder: string): Promise<ImageDefinition> {
  const file = join(folder, "image.ts");
  const loaded = (await importDefault(
    file,
    `image in ${folder}`,
    "run this in an image's folder, or name an image",
  )) as ImageDefinition;
  const subject = `image in ${folder}`;
  if (
    typeof loaded?.name !== "string" ||
    typeof loaded.module !== "string" ||
    !Array.isArray(loaded.fragments) ||
    Object.keys(loaded.variants ?? {}).length === 0
  )
    fail(
      subject,
      `${file} does not export an image with name, module, fragments and at least one of variants`,
      "export default defineImage({ … })",
    );
  loaded.fragments.forEach((fragment: AnyFragment | undefined, index) => {
    if (typeof fragment?.name !== "string" || typeof fragment.module !== "string")
      fail(
        subject,
        `fragments[${index}] is no fragment: expected what defineFragment gives, found ${JSON.stringify(fragment)}`,
        "import the fragment's default export",
      );
  });
  return loaded;
}

/** The folder of the nearest package.json at or above `folder`. */
function packageFolder(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json")) || dirname(at) === at) return at;
  }
}

/** Whether a fragment's sources are at hand: in a workspace or beside the image, not installed from a registry. */
function isLocal(folder: string): boolean {
  return !realpathSync(folder).split(sep).includes("node_modules");
}

/** Whether what lies in dist/ is what the sources emit now. */
async function isStale(definition: AnyFragment, emitted: EmittedFragment): Promise<boolean> {
  const version = await packageVersion(fragmentFolder(definition));
  const { files } = await emission(definition, version);
  // Compared as it is written and read: a definition may hold what JSON or the schema leave out.
  const now = ManifestSchema.parse(JSON.parse(String(files.get("fragment.json"))));
  return !isDeepStrictEqual(now, emitted.manifest);
}

/** Called with the name of a fragment that was emitted on the way, and why. */
export type OnEmit = (fragment: string, why: string) => void;

/**
 * Reads what the image's fragments emitted, each checked against its manifest. A fragment in the image's own package
 * has no build of its own, so it is emitted first. With `onEmit`, so is every other fragment whose sources are at
 * hand and that emitted nothing yet or something else; without it, that is left to whoever runs the builds.
 */
export async function loadFragments(image: ImageDefinition, onEmit?: OnEmit): Promise<EmittedFragment[]> {
  const imageFolder = dirname(fileURLToPath(image.module));
  const home = packageFolder(imageFolder);
  const problems = new Problems();
  const found: EmittedFragment[] = [];
  for (const definition of image.fragments) {
    const folder = fragmentFolder(definition);
    const dist = join(folder, "dist");
    const own = packageFolder(folder) === home;
    if (relative(folder, imageFolder) === "") {
      problems.add(
        `fragment ${definition.name}`,
        `its folder is the image's own, and both write ${dist}`,
        "put the fragment in a folder of its own",
      );
      continue;
    }
    const mayEmit = own || (onEmit !== undefined && isLocal(folder));
    if (mayEmit && !existsSync(join(dist, "fragment.json"))) {
      await emit(definition);
      onEmit?.(definition.name, "it had emitted nothing yet");
    }
    const fragment = await readFragment(dist, definition.name, problems);
    if (fragment && mayEmit && (await isStale(definition, fragment))) {
      await emit(definition);
      onEmit?.(definition.name, "its sources changed");
      const fresh = await readFragment(dist, definition.name, problems);
      if (fresh) found.push(fresh);
    } else if (fragment) found.push(fragment);
  }
  problems.throwIfAny();
  return found;
}

interface PackageJson {
  readonly version?: string;
  readonly repository?: string | { readonly url?: string };
}

async function readPackage(file: string): Promise<PackageJson> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as PackageJson;
  } catch (error) {
    return fail(
      file,
      `expected a package.json, found what is no JSON: ${(error as Error).message}`,
      "correct the file",
    );
  }
}

/** Version and source of the package that holds the image. */
export async function loadImagePackage(image: ImageDefinition): Promise<ImagePackage> {
  const file = join(packageFolder(dirname(fileURLToPath(image.module))), "package.json");
  if (!existsSync(file)) return { version: "0.0.0" };
  const { version = "0.0.0", repository } = await readPackage(file);
  const url = (typeof repository === "string" ? repository : repository?.url)
    ?.replace(/^git\+/, "")
    .replace(/\.git$/, "");
  return url === undefined ? { version } : { version, source: url };
}
