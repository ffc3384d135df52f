import {
  buildStage,
  type EmittedFragment,
  type FragmentFile,
  type Manifest,
  Problems,
  quote,
  type Source,
} from "@strata/fragment";
import { check } from "./check.js";
import type { BaseImage, ImageDefinition, Up } from "./definition.js";
import { digest, filesOf, type Values } from "./digest.js";
import { filesSeen, membersOf } from "./members.js";
import { order } from "./order.js";
import { splitDockerfile } from "./sections.js";
import { baseText, planStages } from "./stages.js";

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
  /** Built only where its name is given. */
  readonly onDemand: boolean;
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

function optionValues(manifest: Manifest, given: Values): Values {
  return Object.fromEntries(
    Object.entries(manifest.options).map(([name, option]) => [name, given[name] ?? option.default]),
  );
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

  const { base, options = {}, tags = [], onDemand = false } = image.variants[variant]!;
  const repository = image.repository ?? `strata/${image.name}`;
  const values = new Map(
    manifests.map((manifest) => [
      manifest.name,
      optionValues(manifest, (options as Record<string, Values>)[manifest.name] ?? {}),
    ]),
  );
  const members = membersOf(manifests, fragments, values);
  const stages = planStages(members, base);
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
    if (sections.image) {
      const { install, uses = [] } = manifest.setup ?? {};
      setup.push(layer("setup", sections.image, install ? filesSeen(name, install, uses, members) : [], []));
    }
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
    onDemand,
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
        digest: digest(`${from} ${baseText(base)}`, []),
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
