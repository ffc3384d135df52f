import {
  argLine,
  buildStage,
  copyOut,
  type EmittedFragment,
  type FragmentFile,
  type Manifest,
  type Option,
  Problems,
  quote,
  type Source,
  sha256,
  TOOLCHAIN_STAGE,
} from "@strata/fragment";
import { check } from "./check.js";
import type { BaseImage, ImageDefinition, Up } from "./definition.js";
import { order } from "./order.js";
import { type Sections, splitDockerfile } from "./sections.js";
import { isCompiled, planSource, sourcesText } from "./sources.js";

/** What a layer is for; also how seldom it changes, most seldom first. */
export type LayerKind = "base" | "setup" | "component" | "runtime" | "metadata";

/** A run of Dockerfile instructions of the image's own stage, owned by one fragment or by the image. */
export interface Layer {
  /** Unique in the plan: `setup/setup-postgresql`, `component/setup-citus`, `runtime/entrypoint`, `base`, `metadata`. */
  readonly id: string;
  readonly kind: LayerKind;
  readonly fragment: string | null;
  /** sha256 over the instructions and over paths, modes and bytes of everything they read. */
  readonly digest: string;
  readonly dockerfile: string;
  /** The fragment's files that it reads: mode and sha256 by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** An archive that a stage compiles, for the release that the variant has. */
export interface PlannedSource extends Pick<Source, "name" | "file" | "url" | "git"> {
  /** Absent where no sum is known; then `commit` says what it is. */
  readonly sha256?: string;
  readonly commit?: string;
}

/** A build stage besides the image's own. */
export interface Stage {
  /** Its name in the Dockerfile. */
  readonly id: string;
  readonly kind: "toolchain" | "build";
  readonly fragment: string;
  /** As a layer's; over the stages that it starts from as well. */
  readonly digest: string;
  readonly dockerfile: string;
  readonly files: Readonly<Record<string, string>>;
  /** Other stages that it starts from or copies. */
  readonly needs: readonly string[];
  readonly sources: readonly PlannedSource[];
  /** Whether the image may do without it. */
  readonly optional: boolean;
}

/** A variable of the contract and its owner. */
export type PlannedVariable = NonNullable<Manifest["runtime"]>["env"][string] & { readonly fragment: string };

/** Everything there is to know about an image in one variant before it is built. The content of `image.json`. */
export interface Plan {
  readonly schema: 1;
  readonly image: string;
  readonly variant: string;
  readonly version: string;
  readonly repository: string;
  /** Full references, the variant's own first. */
  readonly tags: readonly string[];
  readonly base: BaseImage;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly fragments: readonly (Pick<Manifest, "name" | "version" | "summary"> & {
    readonly options: Readonly<Record<string, string | boolean>>;
  })[];
  /** The environment contract, each variable with the fragment that owns it. */
  readonly environment: Readonly<Record<string, PlannedVariable>>;
  readonly expose: readonly number[];
  readonly volumes: readonly string[];
  readonly up: Up;
  /** Fragments of the definition that this image does without. */
  readonly without: readonly LeftOut[];
  readonly stages: readonly Stage[];
  readonly layers: readonly Layer[];
}

/** A fragment that is left out of an image, and why. */
export interface LeftOut {
  readonly fragment: string;
  readonly reason: string;
}

/** What `plan` needs of the image's package. */
export interface ImagePackage {
  readonly version: string;
  readonly source?: string;
}

const filesOf = (files: readonly FragmentFile[]): Record<string, string> =>
  Object.fromEntries(files.map(({ path, mode, sha256 }) => [path, `${mode} ${sha256}`]));

function digest(dockerfile: string, files: readonly FragmentFile[], inputs: readonly string[] = []): string {
  const read = files.map(({ path, mode, sha256 }) => [path, mode, sha256]);
  return `sha256:${sha256(JSON.stringify([dockerfile, read, inputs]))}`;
}

type Values = Readonly<Record<string, string | boolean>>;

function optionValues(manifest: Manifest, given: Values): Values {
  return Object.fromEntries(
    Object.entries(manifest.options).map(([name, option]) => [name, given[name] ?? option.default]),
  );
}

/** The ARG lines of these fragments with the image's values, by ARG. */
function argLines(manifests: readonly Manifest[], values: ReadonlyMap<string, Values>): Map<string, string> {
  return new Map(
    manifests.flatMap(({ name, options }) =>
      Object.entries(options).map(([key, option]) => [option.arg, argLine(option as Option, values.get(name)![key]!)]),
    ),
  );
}

/** Instructions with the image's values in place of whatever their ARG lines said. */
function withValues(text: string, lines: ReadonlyMap<string, string>): string {
  return text
    .split("\n")
    .map((line) => lines.get(/^ARG ([A-Z][A-Z0-9_]*)(=|$)/.exec(line)?.[1] ?? "") ?? line)
    .join("\n");
}

/** Label that names the fragments an image does without. */
export const WITHOUT_LABEL = "dev.strata.without";

function labelsOf(
  image: ImageDefinition,
  base: BaseImage,
  about: ImagePackage,
  without: readonly LeftOut[],
): Record<string, string> {
  const key = (name: string): string => `org.opencontainers.image.${name}`;
  return {
    [key("title")]: image.title,
    [key("description")]: image.description,
    [key("version")]: about.version,
    ...(image.licenses ? { [key("licenses")]: image.licenses } : {}),
    ...(image.source || about.source ? { [key("source")]: image.source ?? about.source! } : {}),
    [key("base.name")]: base.name,
    ...(without.length > 0 ? { [WITHOUT_LABEL]: without.map(({ fragment }) => fragment).join(" ") } : {}),
  };
}

function metadata(image: ImageDefinition, labels: Readonly<Record<string, string>>): string {
  const lines = Object.entries(labels).map(([key, value]) => `${key}=${quote(value)}`);
  return `LABEL ${lines.join(" \\\n      ")}\nUSER ${image.user}`;
}

/** A fragment of the image with everything that planning it takes. */
interface Member {
  readonly manifest: Manifest;
  readonly values: Values;
  readonly sections: Sections;
  /** Whether it is compiled in this variant. */
  readonly compiled: boolean;
}

/** Setup files that the scripts of a fragment see: its own and those it uses. */
function setupFiles(manifest: Manifest, members: ReadonlyMap<string, Member>): FragmentFile[] {
  const names = [...(manifest.setup?.uses ?? []), manifest.name];
  return names.flatMap((name) => members.get(name)!.manifest.files.filter((file) => file.kind === "setup"));
}

/** The stages, each after those it needs: the toolchain, then one for every component that is compiled. */
function planStages(members: ReadonlyMap<string, Member>): Stage[] {
  const stages = new Map<string, Stage>();
  const add = (member: Member, stage: Pick<Stage, "id" | "kind" | "needs" | "sources" | "optional">): void => {
    const { manifest, sections } = member;
    const dropped = [...members.values()].filter(({ compiled }) => !compiled).map(({ manifest: { name } }) => name);
    const lines = sections.stages.get(stage.id)!.split("\n");
    const dockerfile = lines.filter((line) => !dropped.some((name) => line === copyOut(name))).join("\n");
    const below = stage.needs.map((id) => stages.get(id)!.digest);
    stages.set(stage.id, {
      ...stage,
      fragment: manifest.name,
      digest: digest(dockerfile, setupFiles(manifest, members), [...below, sourcesText(stage.sources)]),
      dockerfile,
      files: filesOf(setupFiles(manifest, members)),
    });
  };
  for (const member of members.values())
    if (member.manifest.setup?.toolchain)
      add(member, { id: TOOLCHAIN_STAGE, kind: "toolchain", needs: [], sources: [], optional: false });
  for (const member of members.values()) {
    const { manifest, values, compiled } = member;
    if (!compiled) continue;
    const { needs, sources, optional } = manifest.setup!.build!;
    const needed = needs.filter((name) => members.get(name)!.compiled).map(buildStage);
    add(member, {
      id: buildStage(manifest.name),
      kind: "build",
      needs: [TOOLCHAIN_STAGE, ...needed],
      sources: sources.map((source) => planSource(source, values)),
      optional,
    });
  }
  return [...stages.values()];
}

/** What makes an image of the fragments besides their definitions. */
export interface PlanOptions {
  /** Fragments to leave out, and why: optional ones whose sources cannot be had, with those that depend on them. */
  readonly without?: readonly LeftOut[];
}

/**
 * Plans an image in one variant. Pure: the same definition and fragments give the same plan, everywhere.
 * Raises a StrataError with everything that is wrong: order, conflicts, doubles, options, the definition itself.
 */
export function plan(
  image: ImageDefinition,
  variant: string,
  fragments: readonly EmittedFragment[],
  about: ImagePackage,
  { without = [] }: PlanOptions = {},
): Plan {
  const problems = new Problems();
  const all = fragments.map((fragment) => fragment.manifest).sort((a, b) => (a.name < b.name ? -1 : 1));
  const given = all.filter(({ name }) => !without.some((left) => left.fragment === name));
  const manifests = order(given, problems);
  check(image, variant, given, all, problems);
  problems.throwIfAny();

  const { base, options = {}, tags = [] } = image.variants[variant]!;
  const repository = image.repository ?? `strata/${image.name}`;
  const values = new Map(
    manifests.map((manifest) => [
      manifest.name,
      optionValues(manifest, (options as Record<string, Values>)[manifest.name] ?? {}),
    ]),
  );
  const lines = argLines(manifests, values);
  const members = new Map<string, Member>();
  for (const manifest of manifests) {
    const { dockerfiles } = fragments.find((fragment) => fragment.manifest === manifest)!;
    const own = values.get(manifest.name)!;
    members.set(manifest.name, {
      manifest,
      values: own,
      sections: splitDockerfile(withValues(dockerfiles.setup ?? "", lines)),
      compiled: isCompiled(manifest, own),
    });
  }
  const stages = planStages(members);
  const setup: Layer[] = [];
  const components: Layer[] = [];
  const runtime: Layer[] = [];
  const environment: Record<string, PlannedVariable> = {};
  for (const { manifest, sections, compiled } of members.values()) {
    const { name, archive, files } = manifest;
    const layer = (kind: LayerKind, dockerfile: string, files: readonly FragmentFile[], inputs: string[]): Layer => ({
      id: `${kind}/${name}`,
      kind,
      fragment: name,
      digest: digest(dockerfile, files, inputs),
      dockerfile,
      files: filesOf(files),
    });
    if (sections.image) setup.push(layer("setup", sections.image, setupFiles(manifest, members), []));
    if (compiled) {
      const stage = stages.find(({ id }) => id === buildStage(name))!;
      components.push(layer("component", sections.component, [], [stage.digest]));
    }
    const text = fragments.find((fragment) => fragment.manifest === manifest)!.dockerfiles.runtime;
    if (text !== undefined)
      runtime.push(
        layer(
          "runtime",
          splitDockerfile(text).image,
          files.filter(({ kind }) => kind === "runtime"),
          archive === null ? [] : [archive],
        ),
      );
    for (const [key, variable] of Object.entries(manifest.runtime?.env ?? {}))
      environment[key] = { fragment: name, ...variable };
  }
  const labels = labelsOf(image, base, about, without);
  const from = "FROM ${BASE_IMAGE} AS final";
  const last = metadata(image, labels);
  return {
    schema: 1,
    image: image.name,
    variant,
    version: about.version,
    repository,
    tags: [variant, ...tags].map((tag) => `${repository}:${tag}`),
    base,
    user: image.user,
    labels,
    fragments: manifests.map(({ name, version, summary }) => ({
      name,
      version,
      summary,
      options: values.get(name)!,
    })),
    without,
    environment,
    expose: manifests.flatMap(({ runtime }) => runtime?.expose ?? []),
    volumes: manifests.flatMap(({ runtime }) => runtime?.volumes ?? []),
    up: image.up ?? {},
    stages,
    layers: [
      {
        id: "base",
        kind: "base",
        fragment: null,
        digest: digest(`${from} ${base.name}@${base.digest}`, []),
        dockerfile: from,
        files: {},
      },
      ...setup,
      ...components,
      ...runtime,
      {
        id: "metadata",
        kind: "metadata",
        fragment: null,
        digest: digest(last, []),
        dockerfile: last,
        files: {},
      },
    ],
  };
}
