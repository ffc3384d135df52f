import {
  argLine,
  type EmittedFragment,
  type FragmentFile,
  IMAGE_MARK,
  type Manifest,
  type Option,
  Problems,
  quote,
  STAGE_MARK,
  sha256,
} from "@strata/fragment";
import { check } from "./check.js";
import type { BaseImage, ImageDefinition, Up } from "./definition.js";
import { order } from "./order.js";

/** What a layer is for; also how seldom it changes, most seldom first. */
export type LayerKind = "base" | "setup" | "runtime" | "metadata";

/** A run of Dockerfile instructions of the image's own stage, owned by one fragment or by the image. */
export interface Layer {
  /** Unique in the plan: `setup/postgresql`, `runtime/entrypoint`, `base`, `metadata`. */
  readonly id: string;
  readonly kind: LayerKind;
  readonly fragment: string | null;
  /** sha256 over the instructions and over paths, modes and bytes of every file they read. */
  readonly digest: string;
  readonly dockerfile: string;
}

/** A build stage besides the image's own. */
export interface Stage extends Omit<Layer, "kind" | "fragment"> {
  readonly fragment: string;
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
  readonly stages: readonly Stage[];
  readonly layers: readonly Layer[];
}

/** What `plan` needs of the image's package. */
export interface ImagePackage {
  readonly version: string;
  readonly source?: string;
}

function digest(dockerfile: string, files: readonly FragmentFile[]): string {
  const inputs = files.map(({ path, mode, sha256 }) => [path, mode, sha256]);
  return `sha256:${sha256(JSON.stringify([dockerfile, inputs]))}`;
}

/** The two parts of a Dockerfile fragment: stages of its own, and instructions for the image. */
export function splitDockerfile(text: string): {
  stage: string;
  image: string;
} {
  const parts = { stage: "", image: "" };
  let part: keyof typeof parts = "image";
  for (const line of text.split("\n")) {
    if (line.startsWith(STAGE_MARK)) part = "stage";
    else if (line === IMAGE_MARK) part = "image";
    else parts[part] += `${line}\n`;
  }
  return { stage: parts.stage.trim(), image: parts.image.trim() };
}

type Values = Readonly<Record<string, string | boolean>>;

function optionValues(manifest: Manifest, given: Values): Values {
  return Object.fromEntries(
    Object.entries(manifest.options).map(([name, option]) => [name, given[name] ?? option.default]),
  );
}

/** The text with the image's values in place of the defaults of its ARG lines. */
function withValues(text: string, manifest: Manifest, values: Values): string {
  const lines = new Map(
    Object.entries(manifest.options).map(([name, option]) => [
      argLine(option as Option),
      argLine(option as Option, values[name]!),
    ]),
  );
  return text
    .split("\n")
    .map((line) => lines.get(line) ?? line)
    .join("\n");
}

function labelsOf(image: ImageDefinition, base: BaseImage, about: ImagePackage): Record<string, string> {
  const key = (name: string): string => `org.opencontainers.image.${name}`;
  return {
    [key("title")]: image.title,
    [key("description")]: image.description,
    [key("version")]: about.version,
    ...(image.licenses ? { [key("licenses")]: image.licenses } : {}),
    ...(image.source || about.source ? { [key("source")]: image.source ?? about.source! } : {}),
    [key("base.name")]: base.name,
  };
}

function metadata(image: ImageDefinition, labels: Readonly<Record<string, string>>): string {
  const lines = Object.entries(labels).map(([key, value]) => `${key}=${quote(value)}`);
  return `LABEL ${lines.join(" \\\n      ")}\nUSER ${image.user}`;
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
): Plan {
  const problems = new Problems();
  const byName = new Map(fragments.map((fragment) => [fragment.manifest.name, fragment]));
  const given = fragments.map((fragment) => fragment.manifest).sort((a, b) => (a.name < b.name ? -1 : 1));
  const manifests = order(given, problems);
  check(image, variant, given, problems);
  problems.throwIfAny();

  const { base, options = {}, tags = [] } = image.variants[variant]!;
  const repository = image.repository ?? `strata/${image.name}`;
  const stages: Stage[] = [];
  const setup: Layer[] = [];
  const runtime: Layer[] = [];
  const environment: Record<string, PlannedVariable> = {};
  const values = new Map(
    manifests.map((manifest) => [
      manifest.name,
      optionValues(manifest, (options as Record<string, Values>)[manifest.name] ?? {}),
    ]),
  );
  for (const manifest of manifests) {
    const { name, files } = manifest;
    const texts = byName.get(name)!.dockerfiles;
    if (texts.setup !== undefined) {
      const { image: dockerfile } = splitDockerfile(withValues(texts.setup, manifest, values.get(name)!));
      const read = [...(manifest.setup?.uses ?? []), name].flatMap((used) => byName.get(used)!.manifest.files);
      const setupFiles = read.filter((file) => file.kind === "setup");
      setup.push({
        id: `setup/${name}`,
        kind: "setup",
        fragment: name,
        digest: digest(dockerfile, setupFiles),
        dockerfile,
      });
    }
    if (texts.runtime !== undefined) {
      const { stage, image: dockerfile } = splitDockerfile(texts.runtime);
      const own = files.filter((file) => file.kind === "runtime");
      if (stage)
        stages.push({
          id: name,
          fragment: name,
          digest: digest(stage, own),
          dockerfile: stage,
        });
      runtime.push({
        id: `runtime/${name}`,
        kind: "runtime",
        fragment: name,
        digest: digest(dockerfile, own),
        dockerfile,
      });
    }
    for (const [key, variable] of Object.entries(manifest.runtime?.env ?? {}))
      environment[key] = { fragment: name, ...variable };
  }
  const labels = labelsOf(image, base, about);
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
      },
      ...setup,
      ...runtime,
      {
        id: "metadata",
        kind: "metadata",
        fragment: null,
        digest: digest(last, []),
        dockerfile: last,
      },
    ],
  };
}
