import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "@strata/engine";
import { fail } from "@strata/fragment";
import { z } from "zod";
import { probeRemote, remoteAddress, remoteTroubles } from "./remote.js";

/** What Turbo did about a task. */
export type TaskState = "hit" | "ran";

const SummarySchema = z.object({
  tasks: z.array(
    z.object({
      taskId: z.string(),
      command: z.string(),
      cache: z.object({ status: z.string() }),
      execution: z.object({ exitCode: z.number().nullish() }).nullish(),
    }),
  ),
});

/** What Turbo's summary of a run says of each task that has a command, by its id such as `@strata/setup-base#build`. */
export function taskStates(summary: string): Map<string, TaskState> {
  const { tasks } = SummarySchema.parse(JSON.parse(summary));
  return new Map(
    tasks
      .filter(({ command }) => command !== "<NONEXISTENT>")
      .map(({ taskId, cache }) => [taskId, cache.status === "HIT" ? "hit" : "ran"]),
  );
}

/** Turbo's program in a workspace, or undefined where it is not installed. */
export function turboProgram(root: string): string | undefined {
  const program = join(root, "node_modules", ".bin", "turbo");
  return existsSync(program) ? program : undefined;
}

/**
 * Runs a package's task with all it depends on, and gives what Turbo did about each task. Raises a StrataError with
 * the end of the output when a task failed.
 */
export async function runTask(root: string, name: string, task: string): Promise<Map<string, TaskState>> {
  const folder = join(root, ".turbo", "runs");
  const before = new Set(existsSync(folder) ? await readdir(folder) : []);
  const words = ["run", task, `--filter=${name}`, "--summarize", "--output-logs=errors-only"];
  const done = await attempt(turboProgram(root)!, words, { cwd: root, all: true });
  const fresh = existsSync(folder) ? (await readdir(folder)).filter((file) => !before.has(file)) : [];
  const file = fresh[0] && join(folder, fresh[0]);
  const summary = file && (await readFile(file, "utf8"));
  if (file) await rm(file);
  if (!done.ok || !summary) {
    const lines = `${done.stdout}\n${done.stderr}`.trim().split("\n").slice(-12);
    return fail(`task ${name}#${task}`, `Turbo did not bring it to its end:\n    ${lines.join("\n    ")}`);
  }
  return taskStates(summary);
}

/** The task that makes the artifact of a fragment in a variant, in the package of an image. */
export const artifactTask = (variant: string, fragment: string): string => `artifact:${variant}:${fragment}`;

/** Says in the environment of an artifact task that it may only restore: a miss ends it at once, and is not kept. */
export const RESTORE_ONLY = "STRATA_ARTIFACT_RESTORE_ONLY";

interface Package {
  readonly name?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** The package.json of an image's folder; nothing where there is none. */
async function imagePackage(folder: string): Promise<Package> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8").catch(() => "{}"));
}

/** Artifacts of an image in Turbo's caches, the machine's own and the remote one. Needs a workspace with Turbo. */
export class TurboArtifacts {
  #remote = true;
  #asked = false;

  /**
   * @param root the workspace
   * @param folder the image's package in it
   * @param say is told once that the remote cache is of no help; it is then left alone
   */
  constructor(
    private readonly root: string,
    private readonly folder: string,
    private readonly say: (line: string) => void,
  ) {}

  /** Brings artifacts of these fragments out of the caches, where they are. It compiles nothing. */
  async restore(variant: string, fragments: readonly string[]): Promise<void> {
    await this.#run(variant, fragments, "restore");
  }

  /**
   * Puts the artifacts of these fragments into the caches. The engine has just compiled them, and only hands them out.
   * The image is there already, so what goes wrong is told and no error.
   * @param replace whether what the caches hold is bad: then they are not asked
   */
  async save(variant: string, fragments: readonly string[], replace: boolean): Promise<void> {
    const output = await this.#run(variant, fragments, replace ? "replace" : "save");
    const why = /(?<=strata: ).+/.exec(output ?? "")?.[0] ?? output?.trim().split("\n").at(-1);
    if (why !== undefined) this.say(`what was compiled is not kept for other builds: ${why}`);
  }

  /** Runs those of the tasks that the image's package has. Gives what Turbo printed where one of them failed. */
  async #run(
    variant: string,
    fragments: readonly string[],
    how: "restore" | "save" | "replace",
  ): Promise<string | undefined> {
    const program = turboProgram(this.root);
    const { name, scripts = {} } = await imagePackage(this.folder);
    const tasks = fragments.map((fragment) => artifactTask(variant, fragment)).filter((task) => task in scripts);
    if (!program || !name || tasks.length === 0) return undefined;
    await this.#askRemote(program);
    const words = ["run", ...tasks, `--filter=${name}`, "--continue", "--output-logs=errors-only"];
    if (!this.#remote) words.push(how === "replace" ? "--cache=local:w" : "--cache=local:rw");
    else if (how === "replace") words.push("--force");
    const env = how === "restore" ? { [RESTORE_ONLY]: "1" } : {};
    const done = await attempt(program, words, { cwd: this.root, env });
    const output = `${done.stdout}\n${done.stderr}`;
    const [trouble] = this.#remote ? remoteTroubles(output) : [];
    if (trouble !== undefined) this.#leaveRemote(trouble);
    return done.ok ? undefined : output;
  }

  /** Asks the remote cache, where there is one, whether it is of any use: Turbo would wait for a silent one for minutes. */
  async #askRemote(program: string): Promise<void> {
    if (this.#asked) return;
    this.#asked = true;
    const { ok, stdout } = await attempt(program, ["config"], { cwd: this.root });
    const address = ok ? remoteAddress(stdout) : undefined;
    const trouble = address && (await probeRemote(address));
    if (trouble) this.#leaveRemote(trouble);
  }

  #leaveRemote(trouble: string): void {
    this.say(`Turbo's remote cache is of no help, building goes on without it: ${trouble}`);
    this.#remote = false;
  }
}
