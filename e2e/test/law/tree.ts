import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { must, type Scratch, sh } from "../scratch.js";

const ORACLE = fileURLToPath(new URL("oracle.mjs", import.meta.url));
/** The image's package, which has the tasks of artifacts. */
export const IMAGE = "@strata/image-postgresql";
/** What no `build` reads, of a package: see turbo.json. */
const UNREAD = /^((dist|node_modules|reports|test|\.strata|\.turbo)\/|README\.md$|CHANGELOG\.md$)/;

/** Sums of files by path; of the files of a package's dist/. */
export type Sums = Readonly<Record<string, string>>;

/** A package that has a task `build`. */
interface Package {
  readonly name: string;
  readonly folder: string;
  /** Packages of the workspace that it names. */
  readonly needs: readonly string[];
}

const sum = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

/** What each package emits, made afresh from the sources. */
export async function emitted({ folder }: Scratch): Promise<Map<string, Sums>> {
  return new Map(Object.entries(JSON.parse(await must(folder, "node", ORACLE, folder))));
}

/** The files that git knows or would take, as they are on disk. */
export async function filesOf({ folder }: Scratch): Promise<string[]> {
  const listed = await must(folder, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard");
  return [...new Set(listed.split("\0"))].filter((path) => path && existsSync(join(folder, path))).sort();
}

/** The packages of the workspace with a task `build`. */
async function packagesOf(scratch: Scratch, files: readonly string[]): Promise<Package[]> {
  const found = files.filter((path) => /^(packages\/[^/]+|images)\/[^/]+\/package\.json$/.test(path));
  const read = await Promise.all(
    found.map(async (path) => ({ folder: dirname(path), json: JSON.parse(await scratch.read(path)) })),
  );
  return read.flatMap(({ folder, json: { name, scripts, dependencies, devDependencies } }) =>
    scripts?.build ? [{ name, folder, needs: Object.keys({ ...dependencies, ...devDependencies }) }] : [],
  );
}

/** Sums of what lies in a folder; nothing where there is none. */
export async function sumsOf(folder: string): Promise<Record<string, string>> {
  const entries = existsSync(folder) ? await readdir(folder, { recursive: true, withFileTypes: true }) : [];
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(paths.map(async (path) => sum(await readFile(path))));
  return Object.fromEntries(paths.map((path, index) => [path.slice(folder.length + 1), contents[index]!]));
}

const sorted = (sums: Sums): [string, string][] => Object.entries(sums).sort(([a], [b]) => (a < b ? -1 : 1));

/** The law of Turbo's side: which tasks an edit makes run. Knows what it saw before, as a cache does. */
export class TreeLaw {
  readonly #seen = new Set<string>();

  constructor(
    readonly scratch: Scratch,
    /** The image's tasks of artifacts: `artifact:<variant>:<fragment>`. */
    readonly artifacts: readonly string[],
  ) {}

  /**
   * The tasks that have to run for the tree as it is. A package's `build` runs where its own files, or what a package
   * that it names emits, are what they never were; an artifact's task where the digest of its stage is.
   * Modes and times of files are no part of it.
   */
  async tasks(fresh: ReadonlyMap<string, Sums>): Promise<string[]> {
    const files = await filesOf(this.scratch);
    const packages = await packagesOf(this.scratch, files);
    const emits = new Map(fresh);
    for (const { name, folder } of packages)
      if (!emits.has(name)) emits.set(name, await sumsOf(join(this.scratch.folder, folder, "dist")));
    const keys = new Map<string, unknown>();
    for (const { name, folder, needs } of packages) {
      const own = files.filter((path) => path.startsWith(`${folder}/`) && !UNREAD.test(path.slice(folder.length + 1)));
      const bytes = await Promise.all(
        own.map(async (path) => [path, sum(await readFile(join(this.scratch.folder, path)))]),
      );
      const from = needs.flatMap((need) => (emits.has(need) ? [[need, sorted(emits.get(need)!)]] : []));
      keys.set(`${name}#build`, [bytes, from]);
    }
    for (const task of this.artifacts) {
      const [, variant, fragment] = task.split(":");
      keys.set(`${IMAGE}#${task}`, fresh.get(IMAGE)![`${variant}/stages/${fragment}`]);
    }
    const running = [...keys].filter(([task, key]) => {
      const state = sum(JSON.stringify([task, key]));
      return !this.#seen.has(state) && this.#seen.add(state);
    });
    return running.map(([task]) => task).sort();
  }
}

/** Runs Turbo's tasks, and gives those that it did not take from its cache. */
export async function turbo({ folder }: Scratch, ...tasks: string[]): Promise<string[]> {
  const runs = join(folder, ".turbo", "runs");
  await rm(runs, { recursive: true, force: true });
  // The program itself: pnpm in front of it costs a second each time.
  const program = join(folder, "node_modules", ".bin", "turbo");
  const { code, stdout, stderr } = await sh(folder, program, [
    "run",
    ...tasks,
    "--summarize",
    "--output-logs=errors-only",
  ]);
  if (code !== 0) throw new Error(`turbo ended with ${code}\n${stdout}\n${stderr}`);
  const summary = JSON.parse(await readFile(join(runs, (await readdir(runs))[0]!), "utf8"));
  return (summary.tasks as { taskId: string; command: string; cache: { status: string } }[])
    .filter(({ cache, command }) => cache.status !== "HIT" && command !== "<NONEXISTENT>")
    .map(({ taskId }) => taskId)
    .sort();
}

/** What lies in dist/ of the packages that emit: of each of them the sums. */
export async function lying(scratch: Scratch, names: Iterable<string>): Promise<Map<string, Sums>> {
  const packages = await packagesOf(scratch, await filesOf(scratch));
  const wanted = new Set(names);
  const found = packages.filter(({ name }) => wanted.has(name));
  return new Map(
    await Promise.all(
      found.map(async ({ name, folder }) => [name, await sumsOf(join(scratch.folder, folder, "dist"))] as const),
    ),
  );
}
