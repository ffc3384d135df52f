import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plan } from "./classic.ts";
import { type Component, type Edit, freshRelease, IMAGE, type Nonce, replaced } from "./edits.ts";
import { type Ended, type Line, run } from "./run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const VARIANT = "17-trixie";

/** What `strata image --json` says of a build, as far as we ask. */
export interface BuildRecord {
  readonly id: string;
  readonly tags: readonly string[];
  readonly began: string;
  readonly seconds: number;
  readonly engine: { readonly dialect: string };
  readonly without: readonly { readonly fragment: string; readonly reason: string }[];
  readonly artifacts: readonly { readonly fragment: string }[];
  readonly parts: readonly {
    readonly id: string;
    readonly kind: string;
    readonly fragment: string | null;
    readonly state: string;
  }[];
}

/** One build as a user runs it, and where its seconds went. */
export interface Sample {
  readonly total: number;
  /** `pnpm turbo build`. */
  readonly turbo: number;
  /** Turbo's own time, as it prints it, without pnpm's. */
  readonly turboOwn: number;
  readonly tasks: number;
  /** From asking the engine to its answer. */
  readonly engine: number;
  /** The rest of `strata image`: starting, planning, asking Turbo for artifacts and giving it such. */
  readonly strata: number;
  readonly record: BuildRecord;
}

/** Seconds of Turbo's own `Time:` line, such as 259ms, 12.3s, 1m2.5s. */
export function turboSeconds(output: string): number {
  const time = /Time:\s+(?:(\d+)m)?\s*([\d.]+)(ms|s)/.exec(output);
  if (!time) return Number.NaN;
  return Number(time[1] ?? 0) * 60 + Number(time[2]) / (time[3] === "ms" ? 1_000 : 1);
}

/** How many tasks ran, by Turbo's own count. */
export function tasksRun(output: string): number {
  const count = /Cached:\s+(\d+) cached, (\d+) total/.exec(output);
  return count ? Number(count[2]) - Number(count[1]) : Number.NaN;
}

/** Seconds from the line by which `strata image` turns to the engine, to the end of the build by its record. */
export function engineSeconds(said: readonly Line[], { began, seconds, tags }: BuildRecord): number {
  const asked = said.find(({ text }) => text.startsWith(`building ${tags[0]} on `));
  return asked ? Math.max(0, (Date.parse(began) - asked.at) / 1_000 + seconds) : Number.NaN;
}

/** A component whose archive is here, so that it can be built under another number. */
export interface LocalComponent extends Component {
  readonly file: string;
}

/** A copy of the workspace with caches, sources and a repository of its own. */
export class Workspace {
  readonly #first = new Map<string, string>();
  readonly root: string;
  readonly #cache: string;
  readonly #sources: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(
    readonly folder: string,
    readonly repository: string,
  ) {
    this.root = join(folder, "workspace");
    this.#cache = join(folder, "turbo");
    this.#sources = join(folder, "sources");
    // A remote cache would be a warm one; colours and a moving line are for terminals.
    const own = Object.entries(process.env).filter(([name]) => !/^(TURBO_|FORCE_COLOR$|npm_|CI$)/.test(name));
    this.#env = {
      ...Object.fromEntries(own),
      NO_COLOR: "1",
      TURBO_TELEMETRY_DISABLED: "1",
      TURBO_CACHE_DIR: this.#cache,
      STRATA_SOURCES: this.#sources,
    };
  }

  /** Copies the workspace as it is on disk, without what is ignored, and installs its dependencies. */
  static async create(repository: string): Promise<Workspace> {
    const workspace = new Workspace(await mkdtemp(join(tmpdir(), "strata-bench-")), repository);
    try {
      await workspace.#fill();
      return workspace;
    } catch (error) {
      await workspace.remove();
      throw error;
    }
  }

  async #fill(): Promise<void> {
    for (const name of await this.files(ROOT)) {
      await mkdir(join(this.root, dirname(name)), { recursive: true });
      await cp(join(ROOT, name), join(this.root, name)).catch((error: NodeJS.ErrnoException) => {
        // A file that Git still lists and that is not there any more.
        if (error.code !== "ENOENT") throw error;
      });
    }
    const definition = await readFile(join(this.root, IMAGE), "utf8");
    const named = replaced(
      definition,
      'name: "postgresql",',
      `name: "postgresql",\n  repository: "${this.repository}",`,
    );
    await writeFile(join(this.root, IMAGE), named);
    const author = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
    await this.call("git", "init", "--quiet");
    await this.call("git", "add", "--all");
    await this.call("git", ...author, "commit", "--quiet", "--message", "as it is");
    await this.call("pnpm", "install", "--frozen-lockfile", "--prefer-offline");
    await mkdir(this.#sources);
  }

  /** Runs a program in the copy. */
  call(command: string, ...args: readonly string[]): Promise<Ended> {
    return run(this.root, this.#env, command, ...args);
  }

  /** Files that Git knows or would take. */
  async files(root = this.root): Promise<string[]> {
    const words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    return (await run(root, process.env, "git", ...words)).stdout.split("\0").filter(Boolean);
  }

  /** The rendered folder of the variant. */
  get rendered(): string {
    return join(this.root, "images", "postgresql", "dist", VARIANT);
  }

  /** The plan of the variant, which Turbo's task has rendered. */
  async plan(): Promise<Plan> {
    return JSON.parse(await readFile(join(this.rendered, "image.json"), "utf8")) as Plan;
  }

  /**
   * Takes the sources that the plan compiles into this run's own folder, as far as the machine has them. Gives the
   * fragments that have all of theirs, with the release of each.
   */
  async takeSources(plan: Plan): Promise<LocalComponent[]> {
    const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
    const here = process.env.STRATA_SOURCES || join(cache, "strata", "sources");
    const found: LocalComponent[] = [];
    for (const { fragment, kind, sources = [], dockerfile } of plan.stages) {
      if (kind !== "build" || !fragment) continue;
      const files = sources.map(({ file }) => file);
      try {
        for (const file of files) {
          await copyFile(join(here, file), join(this.#sources, file));
          await copyFile(join(here, `${file}.sha256`), join(this.#sources, `${file}.sha256`)).catch(() => undefined);
        }
      } catch {
        continue;
      }
      const release = /^ARG [A-Z0-9_]+_VERSION="([0-9.]+)"$/m.exec(dockerfile)?.[1];
      const [file] = files;
      if (!release || !file || files.length > 1) continue;
      const sha256 = createHash("sha256")
        .update(await readFile(join(this.#sources, file)))
        .digest("hex");
      found.push({ fragment, release, sha256, file });
    }
    return found;
  }

  /** Makes the archive of a component available under the number that an edit gives it. */
  async offerRelease({ file, release }: LocalComponent, nonce: Nonce): Promise<void> {
    const name = file.replace(release, freshRelease(release, nonce));
    await symlink(file, join(this.#sources, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }

  /** The path of a source. */
  source(file: string): string {
    return join(this.#sources, file);
  }

  /** Changes a file. */
  async edit({ file, change }: Edit, nonce: Nonce): Promise<void> {
    const path = join(this.root, file);
    const text = await readFile(path, "utf8");
    if (!this.#first.has(file)) this.#first.set(file, text);
    await writeFile(path, change(text, nonce));
  }

  /** Takes every edit back. */
  async restore(): Promise<void> {
    for (const [file, text] of this.#first) await writeFile(join(this.root, file), text);
  }

  /** Makes it what a fresh clone is, with its dependencies: nothing that was built is there. */
  async freshClone(): Promise<void> {
    await this.call("git", "clean", "-fdxq", "-e", "node_modules");
  }

  /** Empties Turbo's cache. */
  async emptyCache(): Promise<void> {
    await rm(this.#cache, { recursive: true, force: true });
  }

  /** Runs Turbo and the engine as a user does, and says where the time went. */
  async build(noCache = false): Promise<Sample> {
    const turbo = await this.call("pnpm", "turbo", "build");
    const words = ["--silent", "strata", "image", "postgresql", VARIANT, "--json", ...(noCache ? ["--no-cache"] : [])];
    const image = await this.call("pnpm", ...words);
    const [record] = JSON.parse(image.stdout) as [BuildRecord];
    const engine = engineSeconds(image.said, record);
    return {
      total: turbo.seconds + image.seconds,
      turbo: turbo.seconds,
      turboOwn: turboSeconds(turbo.stdout),
      tasks: tasksRun(turbo.stdout),
      engine,
      strata: image.seconds - engine,
      record,
    };
  }

  /** Parts that the law says are built anew, by id as the record has them. */
  async lawful(): Promise<Set<string>> {
    const words = ["--silent", "strata", "cache", "postgresql", VARIANT, "--json"];
    const { stdout } = await this.call("pnpm", ...words);
    const [view] = JSON.parse(stdout) as [{ rows: { rebuilt: { part: string }[] }[] }];
    return new Set(view.rows.flatMap(({ rebuilt }) => rebuilt.map(({ part }) => part)));
  }

  /** Removes all of it. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
