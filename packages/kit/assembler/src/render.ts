import { archivePath, contextPath, type EmittedFragment, quote, sourcesPath } from "@strata/fragment";
import type { Plan, Stage } from "./plan.js";
import { environmentReference } from "./reference.js";
import { sourcesText } from "./sources.js";

/**
 * How a Dockerfile is written. `portable`: version 1.2, which Docker 20.10 has built in. `buildkit`: with `COPY
 * --link`, so that a layer stays what it is when one before it changes, and with named contexts; Docker 23 and later.
 */
export type Dialect = "portable" | "buildkit";

/** Name of each dialect's Dockerfile in a rendered folder. */
export const DOCKERFILES: Readonly<Record<Dialect, string>> = {
  portable: "Dockerfile",
  buildkit: "Dockerfile.buildkit",
};

/** Where the archive of what a fragment was compiled to lies in the context. */
export const artifactPath = (fragment: string): string => `artifacts/${fragment}.tar`;

/** Where the digest of a fragment's stage lies: the only thing that the task which makes its artifact depends on. */
export const stagePath = (fragment: string): string => `stages/${fragment}`;

/** A stage that unpacks what another build made, in place of the one that compiles. */
function artifactStage({ id, fragment }: Stage): string {
  return `FROM scratch AS ${id}\nADD ${artifactPath(fragment)} /out/`;
}

/** The stages that the image needs, where some of them are replaced by artifacts. */
export function neededStages(plan: Plan, artifacts: ReadonlySet<string>): Stage[] {
  const needed = new Set<string>();
  const byId = new Map(plan.stages.map((stage) => [stage.id, stage]));
  const visit = (id: string): void => {
    const stage = byId.get(id)!;
    needed.add(id);
    if (!artifacts.has(stage.fragment)) for (const below of stage.needs) visit(below);
  };
  for (const stage of plan.stages) if (stage.kind === "build") visit(stage.id);
  return plan.stages.filter(({ id }) => needed.has(id));
}

/** The instructions of a part in a dialect. */
function inDialect(text: string, dialect: Dialect): string {
  if (dialect === "portable") return text;
  return text
    .replace(/^(COPY) (--from=\S+ \/out\/ \/)$/gm, "$1 --link $2")
    .replace(/^ADD (\S+ \/(out\/)?)$/gm, "ADD --link $1")
    .replace(/--mount=type=bind,source=sources\/(\S+?),/g, "--mount=type=bind,from=sources,source=$1,");
}

function dockerfile(plan: Plan, dialect: Dialect, artifacts: ReadonlySet<string>): string {
  const name = plan.tags[0]!;
  const file = dialect === "portable" ? "" : ` -f ${DOCKERFILES[dialect]}`;
  const head = [
    `# ${name}, rendered by Strata from ${plan.fragments.length} fragments. Change those, not this file.`,
    dialect === "portable"
      ? `# Any engine that has BuildKit 0.8 or later builds it: docker build -t ${name} .`
      : `# Docker 23 or later builds it: docker buildx build${file} -t ${name} .`,
    "# The secrets apt-sources and apt-conf are optional: a site's own APT mirror and proxy, for the build alone.",
    `ARG BASE_IMAGE=${quote(plan.base.name)}`,
  ].join("\n");
  const about = new Map(plan.fragments.map((fragment) => [fragment.name, fragment]));
  const needed = neededStages(plan, artifacts);
  const stages = needed.map((stage) => {
    const made = stage.kind === "build" && artifacts.has(stage.fragment);
    const title = stage.kind === "toolchain" ? "what components are compiled with" : `${stage.fragment}, compiled`;
    return `# ${made ? `${title} by an earlier build` : title}\n${made ? artifactStage(stage) : stage.dockerfile}`;
  });
  if (dialect === "buildkit" && needed.some((stage) => stage.sources.length > 0 && !artifacts.has(stage.fragment)))
    stages.unshift(
      "# the sources that are at hand; the named context `sources` takes its place\nFROM scratch AS sources\nCOPY sources/ /",
    );
  const layers = plan.layers.map((layer) => {
    const fragment = layer.fragment === null ? undefined : about.get(layer.fragment);
    const title = fragment ? `${layer.id}: ${fragment.summary}` : layer.id;
    return `# ${title}\n${layer.dockerfile}`;
  });
  return `${[head, ...[...stages, ...layers].map((part) => inDialect(part, dialect))].join("\n\n")}\n`;
}

/** Name of the stage that holds what a fragment was compiled to, and nothing else. */
export const artifactStageName = (fragment: string): string => `artifact-${fragment}`;

/** A Dockerfile of the stages alone, with one more for each component, from which an engine can export its /out. */
export function renderStages(plan: Plan, dialect: Dialect): string {
  const whole = dockerfile(plan, dialect, new Set());
  const stages = whole.slice(0, whole.indexOf("\n# base\n"));
  const exported = plan.stages
    .filter(({ kind }) => kind === "build")
    .map(({ id, fragment }) => `FROM scratch AS ${artifactStageName(fragment)}\nCOPY --from=${id} /out/ /\n`);
  return `${[stages, ...exported].join("\n")}`;
}

function bake(plan: Plan): string {
  const target = {
    context: ".",
    dockerfile: DOCKERFILES.buildkit,
    tags: plan.tags,
    args: { BASE_IMAGE: `${plan.base.name}@${plan.base.digest}` },
  };
  return `${JSON.stringify({ group: { default: { targets: ["image"] } }, target: { image: target } }, null, 2)}\n`;
}

/**
 * What an engine takes of the folder: of the fragments these very files. A file of an earlier state, which Turbo leaves
 * there when it restores the folder, would be another input of the scripts that see its folder. Sources and artifacts
 * are looked up by name.
 */
function ignored(paths: readonly string[]): string {
  return `${["*", ...[...paths].sort().map((path) => `!${path}`), "!sources", "!artifacts"].join("\n")}\n`;
}

/** What a rendered folder holds besides what the plan says. */
export interface RenderOptions {
  /** What components were compiled to, by fragment: archives of /out, used in place of compiling. */
  readonly artifacts?: ReadonlyMap<string, Uint8Array>;
}

/**
 * The folder that builds the image, as content by path: a Dockerfile in each dialect, their context, `image.json`, the
 * environment reference and a bake file. Pure.
 */
export function render(
  plan: Plan,
  fragments: readonly EmittedFragment[],
  { artifacts = new Map() }: RenderOptions = {},
): Map<string, string | Uint8Array> {
  const given = new Set(artifacts.keys());
  const files = new Map<string, string | Uint8Array>([
    [DOCKERFILES.portable, dockerfile(plan, "portable", given)],
    [DOCKERFILES.buildkit, dockerfile(plan, "buildkit", given)],
    ["image.json", `${JSON.stringify(plan, null, 2)}\n`],
    ["docker-bake.json", bake(plan)],
    ["environment.md", environmentReference(plan)],
  ]);
  const members = new Set(plan.fragments.map(({ name }) => name));
  for (const { manifest, contents, archive } of fragments) {
    if (!members.has(manifest.name)) continue;
    if (archive) files.set(archivePath(manifest.name), archive);
    for (const { path, kind } of manifest.files)
      if (kind === "setup") files.set(contextPath(manifest.name, path), contents.get(path)!);
  }
  files.set(".dockerignore", ignored([...files.keys()].filter((path) => path.startsWith("fragments/"))));
  for (const { fragment, kind, digest, sources } of plan.stages) {
    if (kind !== "build") continue;
    files.set(`${sourcesPath(fragment)}/SOURCES`, sourcesText(sources));
    files.set(stagePath(fragment), `${digest}\n`);
  }
  for (const [fragment, content] of artifacts) files.set(artifactPath(fragment), content);
  return files;
}
