import type { AnyFragment, FragmentDefinition, OptionValues } from "@strata/fragment";

/** A base image: what a registry calls it, its digest there, and what to bootstrap where no registry answers. */
export interface BaseImage {
  /** Name and tag, such as `debian:trixie-slim`. */
  readonly name: string;
  /** Digest of the multi-platform index, `sha256:…`. */
  readonly digest: string;
  /** Debian's code name, such as `trixie`. */
  readonly suite: string;
}

/** Option values by fragment name, for exactly these fragments. */
export type OptionsOf<F extends readonly AnyFragment[]> = {
  readonly [D in F[number] as D["name"]]?: D extends FragmentDefinition<string, infer O>
    ? keyof O extends never
      ? Record<string, never>
      : OptionValues<O>
    : never;
};

/** One way to build an image. */
export interface Variant<F extends readonly AnyFragment[] = readonly AnyFragment[]> {
  readonly base: BaseImage;
  readonly options?: OptionsOf<F>;
  /** Tags besides the variant's own name. */
  readonly tags?: readonly string[];
  /** The variant that commands take when none is named; exactly one has it. */
  readonly default?: boolean;
  /** An engine builds it only when it is named; such as one whose sources few sites have. It is always rendered. */
  readonly onDemand?: boolean;
}

/** How `strata up` starts the image for a first look. Absent: without secrets, and healthy is all that is asked. */
export interface Up {
  /** Variables that get a generated secret, given as `NAME_FILE`. */
  readonly secrets?: readonly string[];
  /** A command in the container whose output shows that it works. */
  readonly check?: readonly string[];
  /** How to connect; `{host}` and `{port}` are filled in. */
  readonly connect?: string;
}

/** An image: a list of fragments, and the variants in which it is built. */
export interface ImageDefinition<F extends readonly AnyFragment[] = readonly AnyFragment[]> {
  /** Lower case words with hyphens. The image is tagged `<repository>:<variant>`. */
  readonly name: string;
  /** `import.meta.url` of the definition: dist/ lies beside it. */
  readonly module: string;
  /** Where the image is tagged; `strata/<name>` unless given. */
  readonly repository?: string;
  readonly title: string;
  readonly description: string;
  readonly licenses?: string;
  /** Address of the source, for the label; the package's `repository` unless given. */
  readonly source?: string;
  /** `uid:gid` of the container. Never root. */
  readonly user: string;
  readonly up?: Up;
  readonly fragments: F;
  readonly variants: Readonly<Record<string, Variant<F>>>;
}

/** Declares an image. Gives back what it is given: a wrong option is a type error in the editor. */
export function defineImage<const F extends readonly AnyFragment[]>(
  definition: ImageDefinition<F>,
): ImageDefinition<F> {
  return definition;
}
