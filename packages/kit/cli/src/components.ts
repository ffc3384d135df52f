import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  artifactStageName,
  type Dialect,
  DOCKERFILES,
  type ImageDefinition,
  neededStages,
  type Plan,
  type Prepared,
  plan,
  render,
  renderStages,
  type Stage,
  sourcesText,
} from "@strata/assembler";
import { type Problem, Problems, replaceFolder, sourcesPath } from "@strata/fragment";
import { artifactFolder, readArtifact, removeArtifact } from "./artifacts.js";
import { type Obtained, obtainSource, type SourceOptions } from "./sources.js";

/** What an image's components are made from, and the plan that follows from it. */
export interface Components {
  /** Without the fragments whose sources cannot be had. */
  readonly plan: Plan;
  /** Archives of /out that take the place of compiling, by fragment. */
  readonly artifacts: ReadonlyMap<string, Buffer>;
  /** Files of sources that are compiled, by path in the sources folder of the context. */
  readonly sources: ReadonlyMap<string, string>;
  /** Fragments whose artifact was thrown away because it was changed. */
  readonly refused: ReadonlySet<string>;
}

/** A source as the stage reads of it: with the sum that was found, where nobody published one. */
type Found = Extract<Obtained, { readonly path: string }>;

/** The plan with the sums of sources of which nobody published one: the build verifies them once more. */
function withSums(planned: Plan, sums: ReadonlyMap<string, string>): Plan {
  const stages = planned.stages.map((stage) => ({
    ...stage,
    sources: stage.sources.map((source) => {
      const sha256 = source.sha256 ?? sums.get(`${stage.fragment}/${source.file}`);
      return sha256 === undefined ? source : { ...source, sha256 };
    }),
  }));
  return { ...planned, stages };
}

/** Fragments that cannot be without one of these, those included. */
function dependents(names: ReadonlySet<string>, { fragments }: Prepared): Set<string> {
  const found = new Set(names);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { manifest } of fragments)
      if (manifest.dependsOn.some((name) => found.has(name))) found.add(manifest.name);
  }
  return found;
}

/** The artifacts of a variant that lie beside the image. */
export type Artifacts = Pick<Components, "artifacts" | "refused">;

/** Artifacts of the plan's stages that are whole and of these very stages. One that was changed is thrown away. */
export async function readArtifacts(
  image: ImageDefinition,
  planned: Plan,
  say: (line: string) => void,
): Promise<Artifacts> {
  const artifacts = new Map<string, Buffer>();
  const refused = new Set<string>();
  for (const stage of planned.stages.filter(({ kind }) => kind === "build")) {
    const folder = artifactFolder(image, planned.variant, stage.fragment);
    const artifact = await readArtifact(folder, stage);
    if (artifact.content) artifacts.set(stage.fragment, artifact.content);
    else if (artifact.reason !== undefined) {
      say(`${artifact.reason}; it is thrown away, and restored or compiled again`);
      refused.add(stage.fragment);
      await removeArtifact(folder);
    }
  }
  return { artifacts, refused };
}

/** The sources of a stage, each with what came of it. */
async function obtainAll(stage: Stage, options: SourceOptions): Promise<{ found: Map<string, Found>; why: string[] }> {
  const found = new Map<string, Found>();
  const why: string[] = [];
  for (const source of stage.sources) {
    const got = await obtainSource(source, options);
    if (got.path === undefined) why.push(got.reason);
    else found.set(source.file, got);
  }
  return { found, why };
}

/**
 * Finds for every component an artifact or its sources, and plans the image without the optional ones that have
 * neither. Raises a StrataError with all components that the image cannot do without.
 */
export async function resolveComponents(
  image: ImageDefinition,
  planned: Plan,
  prepared: Prepared,
  options: SourceOptions,
): Promise<Components> {
  const { artifacts, refused } = await readArtifacts(image, planned, options.say);
  const problems = new Problems();
  const missing = new Map<string, string>();
  const sources = new Map<string, string>();
  const sums = new Map<string, string>();
  for (const stage of neededStages(planned, new Set(artifacts.keys()))) {
    if (stage.kind !== "build" || artifacts.has(stage.fragment)) continue;
    const { found, why } = await obtainAll(stage, options);
    for (const [file, { path, sha256 }] of found) {
      sources.set(`${stage.fragment}/${file}`, path);
      sums.set(`${stage.fragment}/${file}`, sha256);
    }
    if (why.length === 0) continue;
    if (stage.optional) missing.set(stage.fragment, why.join("; "));
    else problems.list.push(missingSource(stage.fragment, why));
  }
  problems.throwIfAny();
  if (missing.size === 0) return { plan: withSums(planned, sums), artifacts, sources, refused };
  const without = [...dependents(new Set(missing.keys()), prepared)].map((fragment) => ({
    fragment,
    reason: missing.get(fragment) ?? "it needs one that is left out",
  }));
  const names = new Set(without.map(({ fragment }) => fragment));
  return {
    plan: withSums(plan(image, planned.variant, prepared.fragments, prepared.about, { without }), sums),
    artifacts: new Map([...artifacts].filter(([name]) => !names.has(name))),
    sources: new Map([...sources].filter(([path]) => !names.has(path.slice(0, path.indexOf("/"))))),
    refused,
  };
}

/**
 * The sources of one component's stage and of those it needs. Raises a StrataError where one cannot be had.
 */
export async function resolveStage(planned: Plan, fragment: string, options: SourceOptions): Promise<Components> {
  const problems = new Problems();
  const sources = new Map<string, string>();
  const sums = new Map<string, string>();
  const others = planned.stages.filter(({ kind, fragment: name }) => kind === "build" && name !== fragment);
  const own = planned.stages.find(({ kind, fragment: name }) => kind === "build" && name === fragment)!;
  for (const stage of [own, ...others.filter(({ id }) => own.needs.includes(id))]) {
    const { found, why } = await obtainAll(stage, options);
    if (why.length > 0) problems.list.push(missingSource(stage.fragment, why));
    for (const [file, { path, sha256 }] of found) {
      sources.set(`${stage.fragment}/${file}`, path);
      sums.set(`${stage.fragment}/${file}`, sha256);
    }
  }
  problems.throwIfAny();
  return { plan: withSums(planned, sums), artifacts: new Map(), sources, refused: new Set() };
}

const missingSource = (fragment: string, why: readonly string[]): Problem => ({
  subject: `fragment ${fragment}`,
  message: `its source cannot be had: ${why.join("; ")}`,
  fix: "put the file into the sources folder (STRATA_SOURCES), or see that the address answers",
});

/** A folder to build from, and what the engine has to know besides. */
export interface Context {
  readonly folder: string;
  readonly file: string;
  readonly contexts: Readonly<Record<string, string>>;
}

/** Name of the Dockerfile that ends with the stages of components. */
const STAGES_FILE = "Dockerfile.stages";

/**
 * Writes the folder that an engine builds from: the rendered image, artifacts in place of stages, and the sources
 * that are at hand: in the folder itself, or beside it as a context of their own where the engine knows such.
 */
export async function writeContext(
  room: string,
  { plan: planned, artifacts, sources }: Components,
  { fragments }: Prepared,
  dialect: Dialect,
): Promise<Context> {
  const files = render(planned, fragments, { artifacts });
  files.set(STAGES_FILE, renderStages(planned, dialect));
  const archives = new Map<string, string | Uint8Array>();
  for (const { fragment, kind, sources: listed } of planned.stages)
    if (kind === "build") archives.set(`${fragment}/SOURCES`, sourcesText(listed));
  for (const [path, from] of sources) archives.set(path, await readFile(from));
  const [folder, beside] = [join(room, "context"), join(room, "sources")];
  const apart = dialect === "buildkit";
  if (!apart)
    for (const [path, content] of archives) {
      const slash = path.indexOf("/");
      files.set(`${sourcesPath(path.slice(0, slash))}${path.slice(slash)}`, content);
    }
  await replaceFolder(folder, files);
  if (apart) await replaceFolder(beside, archives);
  return { folder, file: DOCKERFILES[dialect], contexts: apart && sources.size > 0 ? { sources: beside } : {} };
}

/** The context from which one component's /out can be exported, by the stage of that name. */
export const stageContext = (context: Context, fragment: string): Context & { readonly target: string } => ({
  ...context,
  file: STAGES_FILE,
  target: artifactStageName(fragment),
});
