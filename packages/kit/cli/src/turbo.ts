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
