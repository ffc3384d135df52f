import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { argOf, type Fragment, isCompiled, type Model, optionValue, type Script } from "./model.js";

/** How the image is written; it says what follows from what in the image's own stage. */
export type Dialect = "portable" | "buildkit";

const hash = (...parts: unknown[]): string => createHash("sha256").update(JSON.stringify(parts)).digest("hex");
const pairs = (record: Readonly<Record<string, string>>): [string, string][] => Object.entries(record).sort();

/** The fragments in their order: each after those it depends on or is installed after; of the free ones by name. */
export function ordered(model: Model): Fragment[] | undefined {
  const left = new Map(Object.entries(model.fragments));
  const order: Fragment[] = [];
  while (left.size > 0) {
    const isFree = ({ dependsOn, installsAfter }: Fragment): boolean =>
      [...dependsOn, ...installsAfter].every((name) => !left.has(name));
    const next = [...left.keys()].sort().find((name) => isFree(left.get(name)!));
    if (next === undefined) return undefined;
    order.push(left.get(next)!);
    left.delete(next);
  }
  return order;
}

/** The files that a script sees: of its own folder, and of those that it uses. */
function seen(model: Model, { name }: Fragment, { path, uses }: Script): [string, string][] {
  const folders = [...uses, `${name}/${dirname(path)}`].map((folder) => `/mnt/setup/${folder}/`);
  const files = Object.values(model.fragments).flatMap(({ files }) => pairs(files));
  return files.filter(([path]) => folders.some((folder) => path.startsWith(folder)));
}

/** The values of the ARGs of a fragment's instructions: its own and those that it reads. */
function args(model: Model, fragment: Fragment, inImage: boolean): [string, string][] {
  const values = new Map(
    Object.values(model.fragments).flatMap(({ name, options }) =>
      Object.keys(options).map((option) => [argOf(name, option), optionValue(model, name, option)] as const),
    ),
  );
  // A release is a matter of the stage that compiles it.
  const own = Object.keys(fragment.options).filter((name) => !inImage || name !== "version" || !fragment.build?.source);
  const names = [...own.map((name) => argOf(fragment.name, name)), ...fragment.reads];
  return names.sort().map((name) => [name, values.get(name)!]);
}

/**
 * What every part of the image is made of, by its name in the build's record: a part that is made of something else
 * than ever before has to be built, and no other. Follows from the model alone; nothing of the kit is asked. Modes of
 * setup files, texts, versions and what only configures a container make no layer.
 */
export function contents(model: Model, dialect: Dialect): Map<string, string> {
  const parts = new Map<string, string>();
  const order = ordered(model)!;
  const compiled = order.filter((fragment) => isCompiled(model, fragment));
  const tools = order.find(({ toolchain }) => toolchain);
  let toolchain = "";
  if (tools && compiled.length > 0) {
    const read = [args(model, tools, false), [...tools.buildPackages].sort()];
    toolchain = hash("toolchain", read, seen(model, tools, tools.toolchain!));
    parts.set(`stage/${tools.name}`, toolchain);
  }
  /** What each stage is made of, which is what it makes: the generated scripts write down all that they read. */
  const stages = new Map<string, string>();
  for (const fragment of compiled) {
    const { name, build, buildPackages } = fragment;
    const release = build!.source ? optionValue(model, name, "version") : "";
    const read = [args(model, fragment, false), [...buildPackages].sort(), build!.optional, release];
    const copied = [...build!.needs].sort().map((need) => stages.get(need) ?? "");
    stages.set(name, hash("stage", name, read, seen(model, fragment, build!), toolchain, copied));
    parts.set(`stage/${name}`, stages.get(name)!);
  }

  // In the image what runs follows from all that ran before it, from every ARG so far, and from the ENV.
  let below = "base";
  const scope = new Map<string, string>();
  let env: Record<string, string> = {};
  for (const fragment of order) {
    const { name, install, runtimePackages, imageEnv } = fragment;
    if (!install && Object.keys(imageEnv).length === 0) continue;
    for (const [arg, value] of args(model, fragment, true)) scope.set(arg, value);
    if (install) {
      const read = [[...scope].sort(), pairs(env), [...runtimePackages].sort()];
      below = hash("setup", name, read, seen(model, fragment, install), below);
      parts.set(`setup/${name}`, below);
    }
    env = { ...env, ...imageEnv };
  }
  // What is copied is linked in the buildkit dialect, and follows from nothing before it.
  const copy = (id: string, content: string): void => {
    const key = hash("copy", content, dialect === "portable" ? below : "");
    parts.set(id, key);
    below = key;
  };
  for (const { name } of compiled) copy(`component/${name}`, stages.get(name)!);
  for (const fragment of order) {
    const files = pairs(fragment.files).filter(([path]) => !path.startsWith("/mnt/setup/"));
    const contract = pairs(fragment.env);
    if (files.length + contract.length === 0) continue;
    const moded = files.map(([path, text]) => [path, text, fragment.modes[path] ?? ""]);
    copy(`runtime/${fragment.name}`, hash(moded, contract));
  }
  return parts;
}

/** The law of an engine's side. Knows what it saw before, as a cache does. */
export class EngineLaw {
  readonly #seen = new Set<string>();

  constructor(readonly dialect: Dialect) {}

  /** The parts that have to be built for the model as it is. */
  built(model: Model): string[] {
    const unseen = [...contents(model, this.dialect)].filter(([id, key]) => {
      const state = `${id} ${key}`;
      return !this.#seen.has(state) && this.#seen.add(state);
    });
    return unseen.map(([id]) => id).sort();
  }
}
