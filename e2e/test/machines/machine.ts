import { createHash, randomUUID } from "node:crypto";
import { chmod, mkdir, readFile, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { attempt, type Engine } from "@strata/engine";
import { execa } from "execa";
import { type Ended, must, ROOT, Scratch, sh } from "../scratch.js";
import { buildScript, componentPackage, IMAGE_FOLDER, REPOSITORY, type Release, workspaceFiles } from "./workspace.js";

/** A folder of source archives, as a site without internet has one. */
export class Sources implements AsyncDisposable {
  private constructor(private readonly scratch: Scratch) {}

  static async make(): Promise<Sources> {
    return new Sources(await Scratch.empty());
  }

  get folder(): string {
    return this.scratch.folder;
  }

  /** Makes the archive of a release that nobody ever saw: what it says is in it, below a top folder. */
  async release(name: string, version: string, content: string): Promise<Release> {
    await using room = await Scratch.empty();
    await room.write(`${name}-${version}/text`, content);
    const file = join(this.folder, `${name}-${version}.tar`);
    await must(room.folder, "tar", "--create", `--file=${file}`, `${name}-${version}`);
    const bytes = await readFile(file);
    return { name, version, sha256: createHash("sha256").update(bytes).digest("hex") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scratch[Symbol.asyncDispose]();
  }
}

/** What `strata image --json` says, as far as it is looked at here. */
export interface Built extends Ended {
  /** The stages that the build had, with what became of each. */
  readonly stages: Readonly<Record<string, string>>;
  /** Components that were unpacked from an artifact. */
  readonly artifacts: readonly string[];
  readonly without: readonly string[];
}

/** What a machine has of its own. */
export interface MachineOptions {
  readonly releases: readonly Release[];
  readonly sources: Sources;
  readonly env?: Readonly<Record<string, string>>;
  /** Of everything that is run there. */
  readonly umask?: string;
}

/** A checkout of the sample workspace in a folder of its own, with caches of its own: what another machine has. */
export class Machine implements AsyncDisposable {
  private constructor(
    readonly scratch: Scratch,
    private readonly engine: Engine,
    private readonly options: MachineOptions,
  ) {}

  static async make(engine: Engine, options: MachineOptions): Promise<Machine> {
    const scratch = await Scratch.empty();
    for (const [name, content] of workspaceFiles(options.releases)) await scratch.write(name, content);
    const modules = join(scratch.folder, "node_modules");
    await mkdir(join(modules, ".bin"), { recursive: true });
    await mkdir(join(modules, "@strata"));
    const links = {
      "@strata/assembler": "packages/kit/assembler",
      "@strata/cli": "packages/kit/cli",
      "@strata/fragment": "packages/kit/fragment",
      turbo: "node_modules/turbo",
      ".bin/strata": "packages/kit/cli/bin/strata.mjs",
      ".bin/turbo": "node_modules/.bin/turbo",
    };
    for (const [name, path] of Object.entries(links)) await symlink(join(ROOT, path), join(modules, name));
    return new Machine(scratch, engine, options);
  }

  /** Runs a command there. */
  async run(words: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Promise<Ended> {
    const { umask = "022", sources } = this.options;
    const own = { STRATA_SOURCES: sources.folder, CI: undefined, ...this.options.env, ...env };
    return sh(this.scratch.folder, "bash", ["-c", `umask ${umask}; exec "$@"`, "bash", ...words], { env: own });
  }

  /** Runs `strata`. */
  strata(words: readonly string[], env?: Readonly<Record<string, string | undefined>>): Promise<Ended> {
    return this.run(["node_modules/.bin/strata", ...words], env);
  }

  /** `strata image --json`, which has to succeed. */
  async image(words: readonly string[] = [], env?: Readonly<Record<string, string | undefined>>): Promise<Built> {
    const ended = await this.strata(["image", "sample", "one", "--json", ...words], env);
    if (ended.code !== 0) throw new Error(`strata image ended with ${ended.code}\n${ended.stdout}\n${ended.stderr}`);
    const [{ parts, artifacts, without }] = JSON.parse(ended.stdout);
    const stages = parts.filter(({ kind }: { kind: string }) => kind === "build" || kind === "toolchain");
    return {
      ...ended,
      stages: Object.fromEntries(stages.map(({ id, state }: { id: string; state: string }) => [id, state])),
      artifacts: artifacts.map(({ fragment }: { fragment: string }) => fragment).sort(),
      without: without.map(({ fragment }: { fragment: string }) => fragment).sort(),
    };
  }

  /** The digests of the image's layers. */
  async layers(): Promise<string[]> {
    const words = ["image", "inspect", "--format", "{{json .RootFS.Layers}}", `${REPOSITORY}:one`];
    return JSON.parse((await attempt(this.engine.client, words)).stdout);
  }

  /** What a component says in the image that was built last. */
  async says(name: string): Promise<string> {
    const words = ["run", "--rm", "--network=none", `${REPOSITORY}:one`, "cat", `/usr/share/${name}/text`];
    const { stdout, stderr } = await execa(this.engine.client, words, { reject: false, timeout: 60_000 });
    return stdout || stderr;
  }

  /** Where the artifact of a component lies. */
  artifact(name: string, file = "out.tar"): string {
    return join(this.scratch.folder, IMAGE_FOLDER, "artifacts/one", name, file);
  }

  /** The bytes of a component's artifact. */
  readArtifact(name: string): Promise<Buffer> {
    return readFile(this.artifact(name));
  }

  /** Moves a component to another release. */
  async upgrade(release: Release): Promise<void> {
    for (const [name, content] of componentPackage(release)) await this.scratch.write(name, content);
  }

  /** An edit of a component's build script that nobody ever saw, and that changes nothing it makes. */
  async edit(name: string): Promise<void> {
    await this.scratch.append(buildScript(name), `# ${randomUUID()}\n`);
  }

  /**
   * Leaves a component's artifact in Turbo's caches with other bytes than its record says: what runs in the task's place
   * is no part of its hash.
   */
  async poison(name: string): Promise<void> {
    const program = join(this.scratch.folder, "node_modules/.bin/strata");
    await rename(program, `${program}.real`);
    const evil = `printf evil >>artifacts/one/${name}/out.tar`;
    const text = `#!/bin/sh\ncase $1 in artifact) ${evil} ;; *) exec "$0.real" "$@" ;; esac\n`;
    await this.scratch.write("node_modules/.bin/strata", text);
    await chmod(program, 0o755);
    const words = ["node_modules/.bin/turbo", "run", `artifact:one:${name}`, "--filter=@sample/image", "--force"];
    const { code, stdout, stderr } = await this.run(words);
    await rename(`${program}.real`, program);
    if (code !== 0) throw new Error(`turbo ended with ${code}\n${stdout}\n${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scratch[Symbol.asyncDispose]();
  }
}
