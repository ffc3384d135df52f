import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "@strata/engine";
import { fail } from "@strata/fragment";
import { z } from "zod";

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

/** The task that makes the artifact of a fragment, in the package of an image. */
export const artifactTask = (fragment: string): string => `artifact:${fragment}`;

/** Says in the environment of an artifact task that it may only restore: a miss ends it at once, and is not kept. */
export const RESTORE_ONLY = "STRATA_ARTIFACT_RESTORE_ONLY";

/** What Turbo says about a remote cache that does not answer, or answers something else. */
const REMOTE_TROUBLE = /remote cache|artifact.*(signature|verification)|cache.*(unavailable|timed? ?out)/i;

/** Runs the artifact tasks of these fragments that the image's package has; gives Turbo's warnings of its remote cache. */
async function runArtifacts(
  root: string,
  packageJson: { readonly name?: string; readonly scripts?: Readonly<Record<string, string>> },
  fragments: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string[]> {
  const program = turboProgram(root);
  const tasks = fragments.map(artifactTask).filter((task) => packageJson.scripts?.[task] !== undefined);
  if (!program || !packageJson.name || tasks.length === 0) return [];
  const words = ["run", ...tasks, `--filter=${packageJson.name}`, "--continue", "--output-logs=none"];
  const done = await attempt(program, words, { cwd: root, env: { ...environment } });
  const lines = `${done.stdout}\n${done.stderr}`.split("\n").filter((line) => /warn|error/i.test(line));
  return lines.filter((line) => REMOTE_TROUBLE.test(line)).map((line) => line.trim());
}

interface Package {
  readonly name?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** The package.json of an image's folder; nothing where there is none. */
async function imagePackage(folder: string): Promise<Package> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8").catch(() => "{}"));
}

/**
 * Brings artifacts of these fragments out of Turbo's caches, the machine's own and the remote one, where they are. It
 * compiles nothing. Gives a warning for a remote cache that is of no help.
 */
export async function restoreArtifacts(root: string, folder: string, fragments: readonly string[]): Promise<string[]> {
  return runArtifacts(root, await imagePackage(folder), fragments, { [RESTORE_ONLY]: "1" });
}

/** Lets Turbo keep the artifacts of these fragments, which the engine has just compiled and only hands out. */
export async function saveArtifacts(root: string, folder: string, fragments: readonly string[]): Promise<string[]> {
  return runArtifacts(root, await imagePackage(folder), fragments, {});
}
