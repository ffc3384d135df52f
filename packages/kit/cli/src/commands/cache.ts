import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Dialect,
  type ImageDefinition,
  loadFragments,
  loadImagePackage,
  type Plan,
  plan,
  rebuilt,
} from "@strata/assembler";
import { fragmentFolder, packageName } from "@strata/fragment";
import pc from "picocolors";
import { readBuild } from "../build-variant.js";
import { say, table } from "../output.js";
import { plansAt } from "../since.js";
import { runTask, type TaskState, turboProgram } from "../turbo.js";
import { select, workspaceRoot } from "../workspace.js";

/** Options of `strata cache`. */
export interface CacheOptions {
  readonly since?: string;
  readonly json?: boolean;
}

/** The row of what belongs to no fragment: the base, the metadata, and Turbo's task that renders the image. */
export const IMAGE_ROW = "(image)";

/** Both caches' side of one fragment. */
export interface CacheRow {
  readonly fragment: string;
  /** What Turbo did about its task: absent without Turbo. */
  readonly turbo?: TaskState;
  /** Parts that the engine builds anew, with why; none where all of it is cached. */
  readonly rebuilt: readonly { readonly part: string; readonly reason: string }[];
}

/** Both sides of a variant. */
export interface CacheView {
  readonly image: string;
  readonly variant: string;
  /** What it is compared with: the last build here, or a commit. Absent where there is none yet. */
  readonly since?: string;
  readonly dialect: Dialect;
  readonly rows: readonly CacheRow[];
}

/** The view of a variant: what is rebuilt against an earlier plan, and what Turbo did, by fragment. */
export function cacheView(
  planned: Plan,
  before: Plan | undefined,
  dialect: Dialect,
  since: string | undefined,
  turbo: (fragment: string) => TaskState | undefined,
): CacheView {
  const reasons = before ? rebuilt(before, planned, dialect) : undefined;
  const all = [
    ...planned.stages.map(({ id, fragment }) => ({ id, shown: `stage/${fragment}`, owner: fragment })),
    ...planned.layers.map(({ id, fragment }) => ({ id, shown: id, owner: fragment ?? IMAGE_ROW })),
  ];
  const rowOf = (fragment: string): CacheRow => {
    const state = turbo(fragment);
    return {
      fragment,
      ...(state ? { turbo: state } : {}),
      rebuilt: all.flatMap(({ id, shown, owner }) => {
        if (owner !== fragment) return [];
        const reason = reasons ? reasons.get(id) : "there is no build yet";
        return reason === undefined ? [] : [{ part: shown, reason }];
      }),
    };
  };
  const rows = [...planned.fragments.map(({ name }) => name), IMAGE_ROW].map(rowOf);
  return { image: planned.image, variant: planned.variant, ...(since ? { since } : {}), dialect, rows };
}

function viewText(view: CacheView): string {
  const head = ["fragment", "Turbo", "engine", "why"];
  const rows = view.rows.flatMap(({ fragment, turbo = "-", rebuilt: parts }) =>
    parts.length === 0
      ? [[fragment, turbo, "cached", ""]]
      : parts.map(({ part, reason }, index) => [index === 0 ? fragment : "", index === 0 ? turbo : "", part, reason]),
  );
  const lines = table([head, ...rows]).split("\n");
  const painted = lines.map((line, index) =>
    index === 0 ? pc.bold(line) : rows[index - 1]![2] === "cached" ? pc.dim(line) : pc.yellow(line),
  );
  const against = view.since ? `against ${view.since}` : "never built here";
  return [`${pc.bold(`${view.image} ${view.variant}`)}, ${against}, ${view.dialect} dialect`, ...painted].join("\n");
}

/** What Turbo does about the tasks of an image's fragments, by the fragment's name; nothing without Turbo. */
async function turboStates(image: ImageDefinition): Promise<Map<string, TaskState>> {
  const folder = dirname(fileURLToPath(image.module));
  const root = workspaceRoot(folder);
  if (!root || !turboProgram(root)) return new Map();
  const tasks = await runTask(root, await packageName(folder), "build");
  const folders = new Map([
    [image.name, folder],
    ...image.fragments.map((one) => [one.name, fragmentFolder(one)] as const),
  ]);
  const states = new Map<string, TaskState>();
  for (const [name, at] of folders) {
    const state = tasks.get(`${await packageName(at)}#build`);
    if (state) states.set(name, state);
  }
  return states;
}

/**
 * `strata cache`: both caches' side of every fragment. Runs Turbo's build tasks, which takes a moment, and asks no
 * engine: what that one will build follows from the last build here, or from a commit.
 */
export async function cacheCommand(words: readonly string[], options: CacheOptions): Promise<void> {
  const { image, variants } = await select(process.cwd(), words, true);
  const turbo = await turboStates(image);
  const [fragments, about] = [await loadFragments(image, () => undefined), await loadImagePackage(image)];
  const root = workspaceRoot(dirname(fileURLToPath(image.module)));
  const olds = options.since && root ? await plansAt(root, image, options.since, variants) : undefined;
  const views: CacheView[] = [];
  for (const variant of variants) {
    const last = await readBuild(image, variant);
    const before = olds ? olds.find((old) => old.variant === variant) : last.plan;
    const since = options.since ?? (last.record ? `the build of ${last.record.began}` : undefined);
    // What the last build had to do without is no news.
    const planned = plan(image, variant, fragments, about, { without: before?.without ?? [] });
    const dialect = last.record?.engine.dialect ?? "portable";
    views.push(cacheView(planned, before, dialect, since, (name) => turbo.get(name)));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(views, null, 2)}\n`);
  else say(views.map(viewText).join("\n\n"));
}
