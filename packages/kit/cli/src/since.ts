import { existsSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, readlink, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type ImageDefinition, loadImage, type Plan, planImage } from "@strata/assembler";
import { attempt } from "@strata/engine";
import { fail } from "@strata/fragment";

/** Copies the links of a node_modules folder: within the workspace they then lead into the copy of it. */
async function copyLinks(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    const stats = await lstat(source);
    if (stats.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (stats.isDirectory() && name.startsWith("@")) await copyLinks(source, target);
  }
}

/** Folders of packages below packages/ and images/, relative to the root, without those of the kit. */
async function packageFolders(root: string): Promise<string[]> {
  const places = ["packages/setup", "packages/runtime", "images"];
  const found = await Promise.all(
    places.map(async (place) =>
      existsSync(join(root, place)) ? (await readdir(join(root, place))).map((name) => join(place, name)) : [],
    ),
  );
  return found.flat();
}

/**
 * Plans an image as its fragments were at a commit, with the kit of today. The workspace itself is not touched: the
 * commit is unpacked beside it. Raises a StrataError for a commit that git does not know.
 */
export async function plansAt(
  root: string,
  image: ImageDefinition,
  commit: string,
  variants: readonly string[],
): Promise<Plan[]> {
  const git = (...words: string[]) => attempt("git", ["-C", root, ...words]);
  const found = await git("rev-parse", "--verify", "--quiet", `${commit}^{commit}`);
  if (!found.ok) fail(`commit ${commit}`, "git does not know it in this repository", "name a commit, branch or tag");
  const room = await mkdtemp(join(tmpdir(), "strata-since-"));
  try {
    const archive = join(room, "tree.tar");
    const tree = join(room, "tree");
    await mkdir(tree);
    const packed = await git("archive", `--output=${archive}`, found.stdout.trim());
    const unpacked = packed.ok && (await attempt("tar", ["-xf", archive, "-C", tree])).ok;
    if (!unpacked) fail(`commit ${commit}`, `git did not give its files: ${packed.reason}`);
    await rm(join(tree, "packages/kit"), { recursive: true, force: true });
    await symlink(join(root, "packages/kit"), join(tree, "packages/kit"));
    await symlink(join(root, "node_modules"), join(tree, "node_modules"));
    for (const folder of await packageFolders(tree))
      await copyLinks(join(root, folder, "node_modules"), join(tree, folder, "node_modules"));
    const old = await loadImage(join(tree, relative(root, dirname(fileURLToPath(image.module)))));
    const known = variants.filter((variant) => Object.hasOwn(old.variants, variant));
    return await planImage(old, known, () => undefined);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}
