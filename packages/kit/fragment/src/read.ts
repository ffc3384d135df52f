import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ARCHIVE } from "./emit.js";
import type { Problems } from "./errors.js";
import { sha256 } from "./files.js";
import { type Manifest, ManifestSchema } from "./manifest.js";

/** An emitted fragment, read back and verified. */
export interface EmittedFragment {
  readonly manifest: Manifest;
  /** Text of setup.Dockerfile and runtime.Dockerfile, where the fragment has them. */
  readonly dockerfiles: { readonly setup?: string; readonly runtime?: string };
  /** Content by path in the image. */
  readonly contents: ReadonlyMap<string, Buffer>;
  /** The runtime files as one archive, where there are any. */
  readonly archive?: Buffer;
}

const REBUILD = "run `pnpm turbo build --force`, or `strata build` in the fragment's folder";

async function readManifest(dist: string, name: string, problems: Problems): Promise<Manifest | undefined> {
  const file = join(dist, "fragment.json");
  if (!existsSync(file)) {
    problems.add(
      `fragment ${name}`,
      `expected ${file}, found nothing`,
      "run `pnpm turbo build`, or `strata build` in the fragment's folder",
    );
    return undefined;
  }
  try {
    const manifest = ManifestSchema.parse(JSON.parse(await readFile(file, "utf8")));
    if (manifest.name === name) return manifest;
    problems.add(`fragment ${name}`, `expected its manifest in ${file}, found that of ${manifest.name}`, REBUILD);
    return undefined;
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    problems.add(`fragment ${name}`, `${file} is no fragment manifest: ${what}`, REBUILD);
    return undefined;
  }
}

/**
 * Reads an emitted fragment and checks every byte against its manifest. What is missing or different is added to
 * `problems`, and undefined is given back. A file that the manifest does not name is no part of the fragment: Turbo
 * takes none away when it restores a dist/ of another state.
 * @param dist the fragment's dist folder
 * @param name the fragment's name, for messages
 */
export async function readFragment(
  dist: string,
  name: string,
  problems: Problems,
): Promise<EmittedFragment | undefined> {
  const manifest = await readManifest(dist, name, problems);
  if (!manifest) return undefined;
  const before = problems.list.length;
  const check = async (file: string, expected: string): Promise<Buffer> => {
    const path = join(dist, file);
    const content = await readFile(path).catch(() => undefined);
    const found = content === undefined ? "no such file" : sha256(content);
    if (found !== expected)
      problems.add(`fragment ${name}`, `${path} is damaged: expected sha256 ${expected}, found ${found}`, REBUILD);
    return content ?? Buffer.alloc(0);
  };
  const contents = new Map<string, Buffer>();
  for (const file of manifest.files) contents.set(file.path, await check(`rootfs${file.path}`, file.sha256));
  const archive = manifest.archive === null ? undefined : await check(ARCHIVE, manifest.archive);
  const texts: { setup?: string; runtime?: string } = {};
  for (const part of ["setup", "runtime"] as const) {
    const expected = manifest.dockerfiles[part];
    if (expected) texts[part] = (await check(`${part}.Dockerfile`, expected)).toString("utf8");
  }
  return problems.list.length > before
    ? undefined
    : { manifest, dockerfiles: texts, contents, ...(archive ? { archive } : {}) };
}
