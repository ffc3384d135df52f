import type { Layer, Plan, Stage } from "./plan.js";
import type { Dialect } from "./render.js";
import { baseText } from "./stages.js";

type Part = Pick<Layer | Stage, "id" | "kind" | "fragment" | "digest" | "dockerfile" | "files">;

const listed = (texts: readonly string[]): string =>
  texts.length > 3 ? `${texts.slice(0, 3).join(", ")} and ${texts.length - 3} more` : texts.join(", ");

function optionChanges(fragment: string | null, before: Plan, after: Plan): string[] {
  const optionsOf = (plan: Plan) => plan.fragments.find(({ name }) => name === fragment)?.options ?? {};
  const [old, now] = [optionsOf(before), optionsOf(after)];
  return Object.keys({ ...old, ...now })
    .filter((name) => old[name] !== now[name])
    .map((name) => `option ${name} ${old[name] ?? "(none)"} → ${now[name] ?? "(none)"}`);
}

function fileChanges(before: Part, after: Part): string[] {
  const paths = Object.keys({ ...before.files, ...after.files }).sort();
  return paths.flatMap((path) => {
    const [old, now] = [before.files[path], after.files[path]];
    if (old === now) return [];
    if (old === undefined) return [`${path} is new`];
    if (now === undefined) return [`${path} is gone`];
    const [mode, content] = [old.slice(0, 4) !== now.slice(0, 4), old.slice(4) !== now.slice(4)];
    return [mode && !content ? `mode of ${path} ${old.slice(0, 4)} → ${now.slice(0, 4)}` : `${path} changed`];
  });
}

/** Why a part is another one than before, by what it reads; undefined where it is the same. */
function reasonFor(part: Part, old: Part | undefined, before: Plan, after: Plan): string | undefined {
  if (!old) return "it is new";
  if (old.digest === part.digest) return undefined;
  const own = [...optionChanges(part.fragment, before, after), ...fileChanges(old, part)];
  if (own.length > 0) return listed(own);
  if (old.dockerfile !== part.dockerfile) {
    const lines = new Set(old.dockerfile.split("\n"));
    const fresh = part.dockerfile.split("\n").find((line) => !lines.has(line));
    return fresh === undefined ? "its instructions changed" : `its instructions changed: ${fresh.trim()}`;
  }
  const [from, to] = [baseText(before.base), baseText(after.base)];
  if (from !== to && (part.kind === "base" || part.kind === "toolchain")) return `the base ${from} → ${to}`;
  return "what it reads changed";
}

/** Stages whose digests are in a part's: what it is copied from or starts from. */
function below(part: Layer | Stage, plan: Plan): readonly string[] {
  if ("needs" in part) return part.needs;
  return part.kind === "component"
    ? plan.stages.filter(({ fragment, kind }) => kind === "build" && fragment === part.fragment).map(({ id }) => id)
    : [];
}

/**
 * Why each stage and layer of a plan is another one than in the plan before, by id; those that are the same are not
 * in it. This is the engine's side of the cache law, as far as it follows from the content alone.
 */
export function explain(before: Plan, after: Plan): Map<string, string> {
  const olds = new Map([...before.stages, ...before.layers].map((part) => [part.id, part] as const));
  const reasons = new Map<string, string>();
  for (const part of [...after.stages, ...after.layers]) {
    const own = reasonFor(part, olds.get(part.id), before, after);
    if (own === undefined) continue;
    const cause = below(part, after).find((id) => reasons.has(id));
    const through = cause !== undefined && own === "what it reads changed";
    reasons.set(part.id, through ? `${cause} changed: ${reasons.get(cause)}` : own);
  }
  return reasons;
}

/**
 * Every stage and layer that an engine with an up to date cache builds for the plan, with why: those that are another
 * one than before, and those that cannot stay because of one before them. In the portable dialect that is every later
 * layer; in the buildkit dialect copied layers are linked, and only what runs in the image follows from one another.
 */
export function rebuilt(before: Plan, after: Plan, dialect: Dialect): Map<string, string> {
  const reasons = explain(before, after);
  let cause: string | undefined;
  for (const { id, kind } of after.layers) {
    const linked = dialect === "buildkit" && (kind === "component" || kind === "runtime");
    if (kind === "metadata") continue;
    if (cause !== undefined && !linked && !reasons.has(id)) reasons.set(id, `a layer before it changed: ${cause}`);
    else if (reasons.has(id) && !linked) cause ??= id;
  }
  return reasons;
}
