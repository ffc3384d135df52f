import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attempt, type Base, build, type Engine, ensureBase, readSite, type Site } from "@strata/engine";
import { classicDockerfile } from "./classic.ts";
import { interruption, run } from "./run.ts";
import type { Workspace } from "./workspace.ts";

/** What ours is measured against: the same content in one setup layer, and one COPY on the finished image. */
export class Baselines {
  readonly #classic: string;
  readonly #floor: string;
  readonly #names: { readonly classic: string; readonly floor: string; readonly base: string };
  #base: Base | undefined;
  #site: Site = {};

  constructor(
    readonly engine: Engine,
    readonly workspace: Workspace,
    readonly say: (line: string) => void,
  ) {
    this.#classic = join(workspace.folder, "classic");
    this.#floor = join(workspace.folder, "floor");
    const name = (kind: string): string => `${workspace.repository}-${kind}:latest`;
    this.#names = { classic: name("classic"), floor: name("floor"), base: name("base") };
  }

  /** Brings the base into the engine's store, so that no measurement has to. */
  async prepare(): Promise<void> {
    const { base } = await this.workspace.plan();
    this.#base = await ensureBase(this.engine, base, { say: this.say, cancelSignal: interruption.signal });
    this.#site = await readSite(base.suite);
  }

  /** Seconds that the engine takes for a folder. */
  async #time(folder: string, tag: string, noCache: boolean): Promise<{ seconds: number; id: string }> {
    interruption.signal.throwIfAborted();
    const began = performance.now();
    await build(this.engine, {
      folder,
      tags: [tag],
      args: { BASE_IMAGE: this.#base!.reference },
      site: this.#site,
      noCache,
      cancelSignal: interruption.signal,
    });
    const seconds = (performance.now() - began) / 1_000;
    const { stdout } = await attempt(this.engine.client, ["image", "inspect", "--format", "{{.Id}}", tag]);
    return { seconds, id: stdout.trim() };
  }

  /** Makes the classic folder from what is rendered now, and times its build. */
  async classic(without: ReadonlySet<string>, noCache = false): Promise<{ seconds: number; id: string }> {
    const { rendered } = this.workspace;
    const plan = await this.workspace.plan();
    const compiled = plan.stages.filter(({ kind, fragment }) => kind === "build" && !without.has(fragment!));
    await rm(this.#classic, { recursive: true, force: true });
    await mkdir(join(this.#classic, "rootfs"), { recursive: true });
    const files = (folder: string) => run(rendered, process.env, "cp", "-r", folder, this.#classic);
    await files("fragments");
    await files("sources");
    const archives = plan.layers.flatMap(
      ({ dockerfile }) => /^ADD (fragments\/\S+\.tar) /m.exec(dockerfile)?.[1] ?? [],
    );
    for (const archive of archives)
      await run(this.#classic, process.env, "tar", "--extract", "--file", archive, "--directory", "rootfs");
    for (const { fragment, sources = [] } of compiled)
      for (const { file } of sources)
        for (const name of [file, `${file}.sha256`]) {
          const [from, to] = [this.workspace.source(name), join(this.#classic, "sources", fragment!, name)];
          await mkdir(dirname(to), { recursive: true });
          await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
            if (error.code !== "ENOENT") throw error;
          });
        }
    const components = new Set(compiled.map(({ fragment }) => fragment!));
    await writeFile(join(this.#classic, "Dockerfile"), classicDockerfile(plan, components));
    return this.#time(this.#classic, this.#names.classic, noCache);
  }

  /** Keeps the image that is there as the one that the floor starts from. */
  async keepBase(image: string): Promise<void> {
    const done = await attempt(this.engine.client, ["tag", image, this.#names.base]);
    if (!done.ok) throw new Error(`docker tag ${image}: ${done.reason}`);
    await mkdir(this.#floor, { recursive: true });
    const lines = [`FROM ${this.#names.base}`, "COPY --chmod=0755 entrypoint.sh /opt/container/entrypoint.sh", ""];
    await writeFile(join(this.#floor, "Dockerfile"), lines.join("\n"));
  }

  /** Times the floor: a Dockerfile whose only change is one COPY of this script. */
  async floor(script: string): Promise<{ seconds: number; id: string }> {
    await copyFile(script, join(this.#floor, "entrypoint.sh"));
    return this.#time(this.#floor, this.#names.floor, false);
  }

  /** Removes images of this run: those of its repositories, and those of these ids that no name holds any more. */
  async remove(ids: ReadonlySet<string>): Promise<void> {
    const call = (...words: string[]) => attempt(this.engine.client, words, { timeout: 120_000 });
    const listed = await call("image", "ls", "--format", "{{.Repository}}:{{.Tag}}");
    const { repository } = this.workspace;
    const own = listed.stdout
      .split("\n")
      .filter((name) => name.startsWith(`${repository}:`) || name.startsWith(`${repository}-`));
    if (own.length > 0) await call("rmi", ...own);
    for (const id of ids) {
      const tags = await call("image", "inspect", "--format", "{{len .RepoTags}}", id);
      if (tags.ok && tags.stdout.trim() === "0") await call("rmi", id);
    }
  }
}
